import type { ProviderDefinition } from './definition.ts'
import { openAiCompatible } from './shared/chat-completions.ts'

/** Models from Gemini 3 on refuse a conversation whose first call of a step has no signature. */
const NEEDS_SIGNATURES = /^gemini-(?:[3-9]|\d{2})/
/** In place of a signature that is lost, or was never there. Source: ai.google.dev/gemini-api/docs/thought-signatures. */
const NO_SIGNATURE = { google: { thought_signature: 'skip_thought_signature_validator' } }

/** Google Gemini at its OpenAI-compatible address. Prices: ai.google.dev/gemini-api/docs/pricing. */
export const gemini: ProviderDefinition = {
  id: 'gemini',
  defaultBaseUrl: 'https://generativelanguage.googleapis.com/v1beta/openai',
  env: {
    apiKey: 'GEMINI_API_KEY',
    baseUrl: 'GEMINI_BASE_URL',
    keysPage: 'https://aistudio.google.com/apikey',
  },
  modelNames: /^gemini-/,
  models: [
    {
      id: 'gemini-2.5-flash',
      contextTokens: 1_048_576,
      usdPerMillion: { input: 0.3, output: 2.5, cachedInput: 0.03 },
    },
    {
      id: 'gemini-2.5-flash-lite',
      contextTokens: 1_048_576,
      usdPerMillion: { input: 0.1, output: 0.4, cachedInput: 0.01 },
    },
    {
      id: 'gemini-2.5-pro',
      contextTokens: 1_048_576,
      usdPerMillion: {
        input: 1.25,
        output: 10,
        cachedInput: 0.125,
        longContext: [{ aboveInputTokens: 200_000, input: 2.5, output: 15, cachedInput: 0.25 }],
      },
    },
  ],
  create: deps =>
    openAiCompatible({
      ...deps,
      variant: {
        provider: 'gemini',
        vendorPath: '/v1beta/openai',
        extraContentOf:
          model =>
          ({ extraContent }, at) =>
            extraContent ?? (at === 0 && NEEDS_SIGNATURES.test(model) ? NO_SIGNATURE : undefined),
      },
    }),
}
