import type { ModelFacts, Price, PriceList } from '../definition.ts'
import { longContext } from './lists.ts'

const MILLION = 1_048_576
const HALF = { batch: 0.5, flex: 0.5 } as const
const LONG = 200_000

const pro = (list: PriceList): Price => ({
  ...list,
  longContext: longContext(LONG, list, { input: 2, output: 1.5 }),
  tiers: HALF,
})

/** An introductory price, until the end of 2026. */
const INTRODUCED: Price = {
  input: 0.75,
  output: 3.75,
  cachedInput: 0.075,
  later: [{ from: '2027-01-01', prices: { input: 1.5, output: 7.5, cachedInput: 0.15 } }],
  tiers: HALF,
}

const MODELS: readonly (readonly [id: string, price: Price])[] = [
  ['gemini-2.5-flash', { input: 0.3, output: 2.5, cachedInput: 0.03, audioInput: 1, tiers: HALF }],
  ['gemini-2.5-flash-lite', { input: 0.1, output: 0.4, cachedInput: 0.01, audioInput: 0.3, tiers: HALF }],
  ['gemini-2.5-pro', pro({ input: 1.25, output: 10, cachedInput: 0.125 })],
  ['gemini-3.7-flash', { ...INTRODUCED, tiers: { ...HALF, priority: 1.8 } }],
  ['gemini-3.6-flash', INTRODUCED],
  ['gemini-3.5-flash', { input: 1.5, output: 9, cachedInput: 0.15, tiers: HALF }],
  ['gemini-3.5-flash-lite', { input: 0.3, output: 2.5, cachedInput: 0.03, tiers: HALF }],
  ['gemini-3.1-pro-preview', pro({ input: 2, output: 12, cachedInput: 0.2 })],
  ['gemini-3.1-flash-lite', { input: 0.25, output: 1.5, cachedInput: 0.025, audioInput: 0.5 }],
  ['gemini-3-pro-preview', pro({ input: 2, output: 12, cachedInput: 0.2 })],
  ['gemini-3-flash-preview', { input: 0.5, output: 3, cachedInput: 0.05, audioInput: 1, tiers: HALF }],
]

/**
 * Google's models. Prices: ai.google.dev/gemini-api/docs/pricing, as public copies of that page had them between
 * October 2025 and August 2026.
 */
export const GEMINI_MODELS: readonly ModelFacts[] = MODELS.map(([id, usdPerMillion]) => ({
  id,
  contextTokens: MILLION,
  usdPerMillion,
}))
