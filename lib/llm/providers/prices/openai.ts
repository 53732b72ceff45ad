import type { ModelFacts, Price, TokenPrices } from '../definition.ts'
import { longContext } from './lists.ts'

const HALF = { batch: 0.5, flex: 0.5 } as const
const LONG = 272_000
const LONG_FACTORS = { input: 2, output: 1.5 } as const
const MILLION_TOKENS = 1_050_000

/** A model whose long inputs cost more, and whose cache writes may be billed. */
const long = (prices: TokenPrices, priority: number): Price => ({
  ...prices,
  longContext: longContext(LONG, prices, LONG_FACTORS),
  tiers: { ...HALF, priority },
})

const CHAT: readonly (readonly [id: string, contextTokens: number, price: Price])[] = [
  [
    'gpt-4o-mini',
    128_000,
    {
      input: 0.15,
      output: 0.6,
      cachedInput: 0.075,
      tiers: { batch: 0.5, priority: { input: 0.25, output: 1, cachedInput: 0.125 } },
    },
  ],
  ['gpt-6-astra', MILLION_TOKENS, long({ input: 10, output: 50, cachedInput: 1, cacheWrite: 12.5 }, 2)],
  ['gpt-6.1-sol', MILLION_TOKENS, long({ input: 2, output: 10, cachedInput: 0.1, cacheWrite: 2.5 }, 2)],
  ['gpt-6-sol', MILLION_TOKENS, long({ input: 2, output: 10, cachedInput: 0.2, cacheWrite: 2.5 }, 2)],
  ['gpt-6-luna', MILLION_TOKENS, long({ input: 0.1, output: 0.5, cachedInput: 0.01, cacheWrite: 0.125 }, 2)],
  ['gpt-5.6-sol', MILLION_TOKENS, long({ input: 4, output: 20, cachedInput: 0.4, cacheWrite: 5 }, 2)],
  ['gpt-5.6', MILLION_TOKENS, long({ input: 4, output: 20, cachedInput: 0.4, cacheWrite: 5 }, 2)],
  ['gpt-5.6-terra', MILLION_TOKENS, long({ input: 2, output: 12, cachedInput: 0.2, cacheWrite: 2.5 }, 2)],
  ['gpt-5.6-luna', MILLION_TOKENS, long({ input: 0.2, output: 1.2, cachedInput: 0.02, cacheWrite: 0.25 }, 2)],
  ['gpt-5.5', 1_000_000, long({ input: 5, output: 30, cachedInput: 0.5 }, 2.5)],
  ['gpt-5.5-pro', 1_000_000, { input: 30, output: 180, tiers: HALF }],
  ['gpt-5.4', MILLION_TOKENS, long({ input: 2.5, output: 15, cachedInput: 0.25 }, 2)],
  [
    'gpt-5.4-mini',
    400_000,
    { input: 0.75, output: 4.5, cachedInput: 0.075, tiers: { ...HALF, priority: 2 } },
  ],
  ['gpt-5.4-nano', 400_000, { input: 0.2, output: 1.25, cachedInput: 0.02, tiers: HALF }],
  [
    'gpt-5.4-pro',
    MILLION_TOKENS,
    {
      input: 30,
      output: 180,
      longContext: longContext(LONG, { input: 30, output: 180 }, LONG_FACTORS),
      tiers: HALF,
    },
  ],
  ['gpt-5.3-chat-latest', 128_000, { input: 1.75, output: 14, cachedInput: 0.175 }],
  ['gpt-5.3-codex', 400_000, { input: 1.75, output: 14, cachedInput: 0.175, tiers: { priority: 2 } }],
  ['gpt-5.2', 400_000, { input: 1.75, output: 14, cachedInput: 0.175, tiers: { ...HALF, priority: 2 } }],
  ['gpt-5.2-chat-latest', 128_000, { input: 1.75, output: 14, cachedInput: 0.175 }],
  ['gpt-5.2-codex', 400_000, { input: 1.75, output: 14, cachedInput: 0.175, tiers: { priority: 2 } }],
  ['gpt-5.2-pro', 400_000, { input: 21, output: 168, tiers: { batch: 0.5 } }],
  ['gpt-5.1', 400_000, { input: 1.25, output: 10, cachedInput: 0.125, tiers: { ...HALF, priority: 2 } }],
  ['gpt-5.1-chat-latest', 128_000, { input: 1.25, output: 10, cachedInput: 0.125 }],
  ['gpt-5.1-codex', 400_000, { input: 1.25, output: 10, cachedInput: 0.125, tiers: { priority: 2 } }],
  ['gpt-5.1-codex-max', 400_000, { input: 1.25, output: 10, cachedInput: 0.125, tiers: { priority: 2 } }],
  ['gpt-5.1-codex-mini', 400_000, { input: 0.25, output: 2, cachedInput: 0.025 }],
  ['gpt-5', 400_000, { input: 1.25, output: 10, cachedInput: 0.125, tiers: { ...HALF, priority: 2 } }],
  ['gpt-5-chat-latest', 128_000, { input: 1.25, output: 10, cachedInput: 0.125 }],
  ['gpt-5-codex', 400_000, { input: 1.25, output: 10, cachedInput: 0.125, tiers: { priority: 2 } }],
  ['gpt-5-mini', 400_000, { input: 0.25, output: 2, cachedInput: 0.025, tiers: { ...HALF, priority: 1.8 } }],
  ['gpt-5-nano', 400_000, { input: 0.05, output: 0.4, cachedInput: 0.005, tiers: HALF }],
  ['gpt-5-pro', 400_000, { input: 15, output: 120, tiers: { batch: 0.5 } }],
  ['gpt-4o', 128_000, { input: 2.5, output: 10, cachedInput: 1.25, tiers: { batch: 0.5, priority: 1.7 } }],
  // The first snapshot kept its higher price.
  ['gpt-4o-2024-05-13', 128_000, { input: 5, output: 15, tiers: { batch: 0.5, priority: 1.75 } }],
  ['chatgpt-4o-latest', 128_000, { input: 5, output: 15 }],
  ['gpt-4.1', 1_047_576, { input: 2, output: 8, cachedInput: 0.5, tiers: { batch: 0.5, priority: 1.75 } }],
  [
    'gpt-4.1-mini',
    1_047_576,
    { input: 0.4, output: 1.6, cachedInput: 0.1, tiers: { batch: 0.5, priority: 1.75 } },
  ],
  [
    'gpt-4.1-nano',
    1_047_576,
    { input: 0.1, output: 0.4, cachedInput: 0.025, tiers: { batch: 0.5, priority: 2 } },
  ],
  ['o3', 200_000, { input: 2, output: 8, cachedInput: 0.5, tiers: { ...HALF, priority: 1.75 } }],
  ['o3-pro', 200_000, { input: 20, output: 80, tiers: { batch: 0.5 } }],
  ['o3-mini', 200_000, { input: 1.1, output: 4.4, cachedInput: 0.55, tiers: { batch: 0.5 } }],
  [
    'o4-mini',
    200_000,
    {
      input: 1.1,
      output: 4.4,
      cachedInput: 0.275,
      tiers: { ...HALF, priority: { input: 2, output: 8, cachedInput: 0.5 } },
    },
  ],
  ['o1', 200_000, { input: 15, output: 60, cachedInput: 7.5, tiers: { batch: 0.5 } }],
  ['o1-pro', 200_000, { input: 150, output: 600, tiers: { batch: 0.5 } }],
  ['gpt-audio', 128_000, { input: 2.5, output: 10, audioInput: 32, audioOutput: 64 }],
  ['gpt-audio-mini', 128_000, { input: 0.6, output: 2.4, audioInput: 10, audioOutput: 20 }],
  ['gpt-4-turbo', 128_000, { input: 10, output: 30 }],
  ['gpt-4', 8_192, { input: 30, output: 60 }],
  ['gpt-4-32k', 32_768, { input: 60, output: 120 }],
  ['gpt-3.5-turbo', 16_385, { input: 0.5, output: 1.5 }],
  ['gpt-3.5-turbo-1106', 16_385, { input: 1, output: 2 }],
  ['gpt-3.5-turbo-0613', 4_096, { input: 1.5, output: 2 }],
]

/**
 * OpenAI's models that chat. Prices: developers.openai.com/api/docs/pricing, as public copies of that page had them
 * between August and October 2026; where such a copy has no price of a tier, it is left out here.
 */
export const CHAT_MODELS: readonly ModelFacts[] = CHAT.map(([id, contextTokens, usdPerMillion]) => ({
  id,
  contextTokens,
  usdPerMillion,
}))
