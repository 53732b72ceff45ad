import type { ProviderDefinition } from './definition.ts'
import { openAiCompatible } from './shared/chat-completions.ts'

/** Source: docs.mistral.ai, "Chat Completion". */
const HIGHEST_TEMPERATURE = 1.5

/** Mistral. Prices: mistral.ai/pricing. */
export const mistral: ProviderDefinition = {
  id: 'mistral',
  defaultBaseUrl: 'https://api.mistral.ai/v1',
  env: {
    apiKey: 'MISTRAL_API_KEY',
    baseUrl: 'MISTRAL_BASE_URL',
    keysPage: 'https://console.mistral.ai/api-keys',
  },
  models: [
    { id: 'mistral-large-latest', contextTokens: 131_072, usdPerMillion: { input: 2, output: 6 } },
    { id: 'mistral-small-latest', contextTokens: 131_072, usdPerMillion: { input: 0.1, output: 0.3 } },
  ],
  create: deps =>
    openAiCompatible({
      ...deps,
      variant: {
        provider: 'mistral',
        alwaysSendsUsage: true,
        highestTemperature: HIGHEST_TEMPERATURE,
        limitField: 'max_tokens',
      },
    }),
}
