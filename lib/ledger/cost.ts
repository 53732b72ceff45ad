import type { Price } from '../llm/providers/definition.ts'
import type { Usage } from '../llm/types.ts'
import { picoUsdOf } from '../money.ts'

const TOKENS_OF_A_PRICE = 1e6

const perToken = (usdPerMillion: number): number => Math.round(picoUsdOf(usdPerMillion) / TOKENS_OF_A_PRICE)

/**
 * What a usage costs, in whole picodollars (1e-12 US dollars), so that sums of prices such as 0.075 a million tokens
 * are exact up to 9,000 dollars an answer.
 */
export const costPicoUsd = (usage: Usage, price: Price): number => {
  const cached = Math.min(usage.cachedInputTokens ?? 0, usage.inputTokens)
  const written = Math.min(usage.cacheWriteInputTokens ?? 0, usage.inputTokens - cached)
  return (
    (usage.inputTokens - cached - written) * perToken(price.input) +
    cached * perToken(price.cachedInput ?? price.input) +
    written * perToken(price.cacheWrite ?? price.input) +
    usage.outputTokens * perToken(price.output)
  )
}
