import type { ProviderDefinition } from './definition.ts'
import { openAiCompatible } from './shared/chat-completions.ts'

/** Ollama on a machine of yours, `http://localhost:11434/v1`: whatever models it has pulled. */
export const ollama: ProviderDefinition = {
  id: 'ollama',
  env: {
    apiKey: 'OLLAMA_API_KEY',
    baseUrl: 'OLLAMA_BASE_URL',
    keysPage: 'https://ollama.com/download',
    keyless: true,
  },
  models: [],
  create: deps =>
    openAiCompatible({
      ...deps,
      variant: {
        provider: 'ollama',
        limitField: 'max_tokens',
        messageForm: { reasoningField: 'reasoning' },
      },
    }),
}
