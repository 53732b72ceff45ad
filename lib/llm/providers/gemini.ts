import type { ProviderDefinition } from './definition.ts'
import { GEMINI_MODELS } from './prices/gemini.ts'
import { openAiCompatible } from './shared/chat-completions.ts'

/** Models from Gemini 3 on refuse a conversation whose first call of a step has no signature. */
const NEEDS_SIGNATURES = /^gemini-(?:[3-9]|\d{2})/
/** In place of a signature that is lost, or was never there. Source: ai.google.dev/gemini-api/docs/thought-signatures. */
const NO_SIGNATURE = { google: { thought_signature: 'skip_thought_signature_validator' } }

/** Google Gemini at its OpenAI-compatible address. */
export const gemini: ProviderDefinition = {
  id: 'gemini',
  defaultBaseUrl: 'https://generativelanguage.googleapis.com/v1beta/openai',
  env: {
    apiKey: 'GEMINI_API_KEY',
    baseUrl: 'GEMINI_BASE_URL',
    keysPage: 'https://aistudio.google.com/apikey',
  },
  modelNames: /^gemini-/,
  models: GEMINI_MODELS,
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
