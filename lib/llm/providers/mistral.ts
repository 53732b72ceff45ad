import type { ProviderDefinition } from './definition.ts'
import { mistralMessages, mistralMessagesJson } from './mistral-messages.ts'
import { openAiCompatible } from './shared/chat-completions.ts'

/** Source: docs.mistral.ai, "Chat Completion". */
const HIGHEST_TEMPERATURE = 1.5

/** Mistral. Prices: mistral.ai/pricing, by public copies of June 2026; of the `latest` ones, of July 2025. */
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
    { id: 'mistral-large-2512', usdPerMillion: { input: 0.5, output: 1.5, cachedInput: 0.05 } },
    { id: 'mistral-medium-latest', usdPerMillion: { input: 0.4, output: 2 } },
    { id: 'mistral-small-2603', usdPerMillion: { input: 0.15, output: 0.6, cachedInput: 0.015 } },
    { id: 'codestral-latest', usdPerMillion: { input: 0.3, output: 0.9 } },
    { id: 'codestral-2508', usdPerMillion: { input: 0.3, output: 0.9, cachedInput: 0.03 } },
    { id: 'devstral-2512', usdPerMillion: { input: 0.4, output: 2, cachedInput: 0.04 } },
    { id: 'ministral-14b-2512', usdPerMillion: { input: 0.2, output: 0.2, cachedInput: 0.02 } },
    { id: 'ministral-3b-2512', usdPerMillion: { input: 0.1, output: 0.1, cachedInput: 0.01 } },
    { id: 'mistral-embed', kind: 'embedding', usdPerMillion: { input: 0.1, output: 0 } },
  ],
  create: deps =>
    openAiCompatible({
      ...deps,
      variant: {
        provider: 'mistral',
        alwaysSendsUsage: true,
        highestTemperature: HIGHEST_TEMPERATURE,
        limitField: 'max_tokens',
        messageForm: {
          fitting: { messages: mistralMessages, json: mistralMessagesJson },
          marksPrefix: true,
          fileByUrl: 'document_url',
        },
      },
    }),
}
