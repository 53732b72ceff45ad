import type { Provider } from '../types.ts'
import { type ModelFacts, PRICES_AS_OF, type Price } from './definition.ts'
import { type MockOptions, mockChat } from './mock-chat.ts'
import { mockEndpoints } from './mock-endpoints.ts'

/** The price of all models of the mock: they cost nothing. */
export const MOCK_PRICE: Price = { input: 0, output: 0, version: PRICES_AS_OF }

export const MOCK_MODELS: readonly ModelFacts[] = [
  { id: 'mock', contextTokens: 128_000, usdPerMillion: MOCK_PRICE },
]

/**
 * A simulated provider: deterministic answers at a chosen pace, and failures by model name (`mock/429`, `mock/cut`, …).
 * For use without a key, and for tests of failures.
 */
export const mock = (options: MockOptions): Provider => ({
  ...mockChat(options),
  pass: mockEndpoints(options),
})
