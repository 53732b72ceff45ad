import type { ProviderDefinition } from '../definition.ts'
import { MODELS_OF_ANTHROPIC } from '../prices/anthropic.ts'
import { httpProvider } from '../shared/http-provider.ts'
import { tokenCounts } from '../shared/token-counts.ts'
import { outputLimits } from './limits.ts'
import { anthropicCounts, anthropicMessages } from './protocol.ts'

/** Anthropic. */
export const anthropic: ProviderDefinition = {
  id: 'anthropic',
  defaultBaseUrl: 'https://api.anthropic.com',
  env: {
    apiKey: 'ANTHROPIC_API_KEY',
    baseUrl: 'ANTHROPIC_BASE_URL',
    keysPage: 'https://console.anthropic.com/settings/keys',
  },
  modelNames: /^claude-/,
  models: MODELS_OF_ANTHROPIC,
  fallbacks: {
    'claude-opus-5-5': ['claude-sonnet-5-5'],
    'claude-sonnet-5-5': ['claude-haiku-4-5'],
    'claude-opus-4-1': ['claude-sonnet-4-5'],
    'claude-sonnet-4-5': ['claude-haiku-4-5'],
  },
  formats: ['anthropic-messages'],
  outputLimits,
  create: deps => ({
    ...httpProvider('anthropic', anthropicMessages('anthropic', deps), deps),
    countTokens: tokenCounts('anthropic', anthropicCounts(deps), deps),
  }),
}
