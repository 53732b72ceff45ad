import type { ProviderDefinition } from '../definition.ts'
import { httpProvider } from '../shared/http-provider.ts'
import { tokenCounts } from '../shared/token-counts.ts'
import { anthropicCounts, anthropicMessages } from './protocol.ts'

/** Priority is a commitment, at the usual prices. */
const TIERS = { batch: 0.5, priority: 1 } as const

/** Anthropic. Prices: anthropic.com/pricing, base input, cache hits, and cache writes for five minutes and an hour. */
export const anthropic: ProviderDefinition = {
  id: 'anthropic',
  defaultBaseUrl: 'https://api.anthropic.com',
  env: {
    apiKey: 'ANTHROPIC_API_KEY',
    baseUrl: 'ANTHROPIC_BASE_URL',
    keysPage: 'https://console.anthropic.com/settings/keys',
  },
  modelNames: /^claude-/,
  models: [
    {
      id: 'claude-sonnet-4-5',
      contextTokens: 200_000,
      usdPerMillion: {
        input: 3,
        output: 15,
        cachedInput: 0.3,
        cacheWrite: 3.75,
        cacheWrite1h: 6,
        longContext: [
          {
            aboveInputTokens: 200_000,
            input: 6,
            output: 22.5,
            cachedInput: 0.6,
            cacheWrite: 7.5,
            cacheWrite1h: 12,
          },
        ],
        tiers: TIERS,
      },
    },
    {
      id: 'claude-haiku-4-5',
      contextTokens: 200_000,
      usdPerMillion: {
        input: 1,
        output: 5,
        cachedInput: 0.1,
        cacheWrite: 1.25,
        cacheWrite1h: 2,
        tiers: TIERS,
      },
    },
    {
      id: 'claude-opus-4-1',
      contextTokens: 200_000,
      usdPerMillion: {
        input: 15,
        output: 75,
        cachedInput: 1.5,
        cacheWrite: 18.75,
        cacheWrite1h: 30,
        tiers: TIERS,
      },
    },
  ],
  fallbacks: { 'claude-opus-4-1': ['claude-sonnet-4-5'], 'claude-sonnet-4-5': ['claude-haiku-4-5'] },
  create: deps => ({
    ...httpProvider('anthropic', anthropicMessages('anthropic', deps), deps),
    countTokens: tokenCounts('anthropic', anthropicCounts(deps), deps),
  }),
}
