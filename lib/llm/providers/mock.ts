import type { Provider } from '../types.ts'
import type { ModelFacts } from './definition.ts'
import { type MockOptions, mockChat } from './mock-chat.ts'
import { mockEndpoints } from './mock-endpoints.ts'

export const MOCK_MODELS: readonly ModelFacts[] = [
  { id: 'mock', contextTokens: 128_000, usdPerMillion: { input: 0, output: 0 } },
]

/**
 * A simulated provider: deterministic answers at a chosen pace, and failures by model name (`mock/429`, `mock/cut`, …).
 * For use without a key, and for tests of failures.
 */
export const mock = (options: MockOptions): Provider => ({
  ...mockChat(options),
  pass: mockEndpoints(options),
})
