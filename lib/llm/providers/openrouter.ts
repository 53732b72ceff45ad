import type { ProviderDefinition } from './definition.ts'
import { openAiCompatible } from './shared/chat-completions.ts'

/** OpenRouter, which chooses among models itself; each answer reports its cost. */
export const openrouter: ProviderDefinition = {
  id: 'openrouter',
  defaultBaseUrl: 'https://openrouter.ai/api/v1',
  env: {
    apiKey: 'OPENROUTER_API_KEY',
    baseUrl: 'OPENROUTER_BASE_URL',
    keysPage: 'https://openrouter.ai/settings/keys',
  },
  models: [{ id: 'openrouter/auto' }],
  create: deps =>
    openAiCompatible({
      ...deps,
      variant: {
        provider: 'openrouter',
        vendorPath: '/api/v1',
        knowsDeveloper: true,
        messageForm: { reasoningField: 'reasoning', takesBreakpoints: true, fileByUrl: 'file_data' },
        reportedCostUsd: usage => usage.cost,
      },
    }),
}
