import type { ProviderDefinition } from './definition.ts'
import { OTHER_MODELS } from './openai-models.ts'
import { openAiCompatible } from './shared/chat-completions.ts'

const imageOptions = (model: string) => OTHER_MODELS.find(({ id }) => id === model)?.image

/** OpenAI. Prices: openai.com/api/pricing, standard tier; the factors of the others by the same page. */
export const openai: ProviderDefinition = {
  id: 'openai',
  defaultBaseUrl: 'https://api.openai.com/v1',
  env: {
    apiKey: 'OPENAI_API_KEY',
    baseUrl: 'OPENAI_BASE_URL',
    keysPage: 'https://platform.openai.com/api-keys',
  },
  modelNames:
    /^(?:ft:)?(?:gpt-|o\d|chatgpt-|text-embedding-|dall-e-|whisper-|tts-|(?:omni|text)-moderation-|davinci-|babbage-)/,
  models: [
    {
      id: 'gpt-4o-mini',
      contextTokens: 128_000,
      usdPerMillion: {
        input: 0.15,
        output: 0.6,
        cachedInput: 0.075,
        tiers: { batch: 0.5, priority: { input: 0.25, output: 1, cachedInput: 0.125 } },
      },
    },
    {
      id: 'gpt-4o',
      contextTokens: 128_000,
      usdPerMillion: { input: 2.5, output: 10, cachedInput: 1.25, tiers: { batch: 0.5, priority: 1.7 } },
    },
    {
      id: 'gpt-4.1',
      contextTokens: 1_047_576,
      usdPerMillion: { input: 2, output: 8, cachedInput: 0.5, tiers: { batch: 0.5, priority: 1.75 } },
    },
    {
      id: 'gpt-4.1-mini',
      contextTokens: 1_047_576,
      usdPerMillion: { input: 0.4, output: 1.6, cachedInput: 0.1, tiers: { batch: 0.5, priority: 1.75 } },
    },
    {
      id: 'gpt-4.1-nano',
      contextTokens: 1_047_576,
      usdPerMillion: { input: 0.1, output: 0.4, cachedInput: 0.025, tiers: { batch: 0.5, priority: 2 } },
    },
    {
      id: 'gpt-5',
      contextTokens: 400_000,
      usdPerMillion: {
        input: 1.25,
        output: 10,
        cachedInput: 0.125,
        tiers: { batch: 0.5, flex: 0.5, priority: 2 },
      },
    },
    {
      id: 'gpt-5-mini',
      contextTokens: 400_000,
      usdPerMillion: {
        input: 0.25,
        output: 2,
        cachedInput: 0.025,
        tiers: { batch: 0.5, flex: 0.5, priority: 1.8 },
      },
    },
    {
      id: 'gpt-5-nano',
      contextTokens: 400_000,
      usdPerMillion: { input: 0.05, output: 0.4, cachedInput: 0.005, tiers: { batch: 0.5, flex: 0.5 } },
    },
    {
      id: 'o3',
      contextTokens: 200_000,
      usdPerMillion: {
        input: 2,
        output: 8,
        cachedInput: 0.5,
        tiers: { batch: 0.5, flex: 0.5, priority: 1.75 },
      },
    },
    {
      id: 'o4-mini',
      contextTokens: 200_000,
      usdPerMillion: {
        input: 1.1,
        output: 4.4,
        cachedInput: 0.275,
        tiers: { batch: 0.5, flex: 0.5, priority: { input: 2, output: 8, cachedInput: 0.5 } },
      },
    },
    { id: 'gpt-4-turbo', contextTokens: 128_000, usdPerMillion: { input: 10, output: 30 } },
    { id: 'gpt-4', contextTokens: 8_192, usdPerMillion: { input: 30, output: 60 } },
    { id: 'gpt-3.5-turbo', contextTokens: 16_385, usdPerMillion: { input: 0.5, output: 1.5 } },
    ...OTHER_MODELS,
  ],
  defaultModels: {
    moderations: 'omni-moderation-latest',
    'images/generations': 'dall-e-3',
    'images/edits': 'dall-e-2',
  },
  fallbacks: {
    'gpt-4o': ['gpt-4', 'gpt-3.5-turbo'],
    'gpt-4': ['gpt-3.5-turbo'],
    'gpt-4.1': ['gpt-4.1-mini'],
    'gpt-5': ['gpt-5-mini'],
  },
  create: deps =>
    openAiCompatible({
      ...deps,
      variant: { provider: 'openai', knowsDeveloper: true, hasResponses: true, imageOptions },
    }),
}
