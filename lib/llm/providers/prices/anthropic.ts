import type { ModelFacts, Price, TokenPrices } from '../definition.ts'
import { longContext } from './lists.ts'

/** Priority is a commitment, at the usual prices. */
const TIERS = { batch: 0.5, priority: 1 } as const
const MILLION = 1_000_000
const WRITE = 1.25
const WRITE_1H = 2
const READ = 0.1

/** Prices of a model: cache writes cost 1.25 and 2 times the input, cached input a tenth of it where not given. */
const prices = (input: number, output: number, cachedInput = input * READ): TokenPrices => ({
  input,
  output,
  cachedInput,
  cacheWrite: input * WRITE,
  cacheWrite1h: input * WRITE_1H,
})

const flat = (...of: Parameters<typeof prices>): Price => ({ ...prices(...of), tiers: TIERS })

const withLongContext = (
  usual: TokenPrices,
  above: number,
  factors: Parameters<typeof longContext>[2],
): Price => ({ ...usual, longContext: longContext(above, usual, factors), tiers: TIERS })

const MODELS: readonly (readonly [id: string, contextTokens: number | undefined, price: Price])[] = [
  ['claude-sonnet-4-5', MILLION, withLongContext(prices(3, 15), 200_000, { input: 2, output: 1.5 })],
  ['claude-sonnet-5-5', MILLION, flat(2, 10)],
  ['claude-opus-5-5', MILLION, flat(4, 20, 0.2)],
  ['claude-fable-5-1', MILLION, flat(10, 50, 0.25)],
  ['claude-haiku-5-5', undefined, withLongContext(prices(0.1, 0.5), 100_000, { input: 5, output: 5 })],
  ['claude-sonnet-5', MILLION, flat(2, 10)],
  ['claude-opus-5', MILLION, flat(5, 25)],
  ['claude-fable-5', MILLION, flat(10, 50)],
  ['claude-sonnet-4-6', MILLION, flat(3, 15)],
  ['claude-opus-4-8', MILLION, flat(5, 25)],
  ['claude-opus-4-7', MILLION, flat(5, 25)],
  ['claude-opus-4-6', MILLION, flat(5, 25)],
  ['claude-opus-4-5', 200_000, flat(5, 25)],
  ['claude-haiku-4-5', 200_000, flat(1, 5)],
  ['claude-opus-4-1', 200_000, flat(15, 75)],
  ['claude-opus-4-0', 200_000, flat(15, 75)],
  ['claude-opus-4', 200_000, flat(15, 75)],
  ['claude-sonnet-4-0', 200_000, flat(3, 15)],
  ['claude-sonnet-4', 200_000, flat(3, 15)],
  ['claude-3-7-sonnet', 200_000, flat(3, 15)],
  ['claude-3-5-haiku', 200_000, flat(0.8, 4)],
]

/**
 * Anthropic's models. Prices: platform.claude.com/docs/en/about-claude/pricing, base input, cache hits, and cache writes
 * for five minutes and an hour, as public copies of that page had them between July and October 2026.
 */
export const MODELS_OF_ANTHROPIC: readonly ModelFacts[] = MODELS.map(
  ([id, contextTokens, usdPerMillion]) => ({
    id,
    ...(contextTokens !== undefined && { contextTokens }),
    usdPerMillion,
  }),
)
