import type { Price } from '../llm/providers/definition.ts'
import type { Usage } from '../llm/types.ts'

const PICO_PER_USD = 1e12
const PICO_USD_PER_TOKEN = 1e6

/**
 * What a usage costs, in US dollars. Counted in whole picodollars (1e-12), so that sums of prices such as
 * 0.075 a million tokens are exact up to 9,000 dollars an answer.
 */
export const costUsd = (usage: Usage, price: Price): number => {
  const cached = Math.min(usage.cachedInputTokens ?? 0, usage.inputTokens)
  const written = Math.min(usage.cacheWriteInputTokens ?? 0, usage.inputTokens - cached)
  const pico =
    (usage.inputTokens - cached - written) * perToken(price.input) +
    cached * perToken(price.cachedInput ?? price.input) +
    written * perToken(price.cacheWrite ?? price.input) +
    usage.outputTokens * perToken(price.output)
  return pico / PICO_PER_USD
}

const perToken = (usdPerMillion: number): number => Math.round(usdPerMillion * PICO_USD_PER_TOKEN)
