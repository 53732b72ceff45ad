import type { ProviderDefinition } from './definition.ts'
import { openAiCompatible } from './shared/chat-completions.ts'

/** vLLM on a machine of yours, `http://localhost:8000/v1`: whatever model it serves. */
export const vllm: ProviderDefinition = {
  id: 'vllm',
  env: {
    apiKey: 'VLLM_API_KEY',
    baseUrl: 'VLLM_BASE_URL',
    keysPage: 'https://docs.vllm.ai',
    keyless: true,
  },
  models: [],
  create: deps =>
    openAiCompatible({
      ...deps,
      variant: { provider: 'vllm', messageForm: { reasoningField: 'reasoning' } },
    }),
}
