import type { ProviderDefinition } from './definition.ts'
import { openAiCompatible } from './shared/chat-completions.ts'

/** Anything else that speaks OpenAI’s chat completions, at an address of yours. */
export const compatible: ProviderDefinition = {
  id: 'openai-compatible',
  env: {
    apiKey: 'OPENAI_COMPATIBLE_API_KEY',
    baseUrl: 'OPENAI_COMPATIBLE_BASE_URL',
    keysPage: 'https://platform.openai.com/docs/api-reference/chat',
    keyless: true,
  },
  models: [],
  create: deps =>
    openAiCompatible({
      ...deps,
      variant: {
        provider: 'openai-compatible',
        knowsDeveloper: true,
        messageForm: { reasoningField: 'reasoning_content' },
      },
    }),
}
