import type { ProviderDefinition } from './definition.ts'
import { CHAT_MODELS } from './prices/openai.ts'
import { OTHER_MODELS } from './prices/openai-media.ts'
import { openAiCompatible } from './shared/chat-completions.ts'

const imageOptions = (model: string) => OTHER_MODELS.find(({ id }) => id === model)?.image

/** OpenAI. */
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
  models: [...CHAT_MODELS, ...OTHER_MODELS],
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
    'gpt-5.6-sol': ['gpt-5.6-terra', 'gpt-5.6-luna'],
    'gpt-6-astra': ['gpt-6-sol'],
    'gpt-6-sol': ['gpt-6-luna'],
  },
  create: deps =>
    openAiCompatible({
      ...deps,
      variant: { provider: 'openai', knowsDeveloper: true, hasResponses: true, imageOptions },
    }),
}
