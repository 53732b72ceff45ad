import type { Policy } from '../compose.ts'
import type { Price } from '../llm/providers/definition.ts'
import { type Call, isRepeated, type Reply, type Target, type Usage } from '../llm/types.ts'
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

/** The price of a target; absent where unknown. */
export type Prices = Readonly<{ priceOf: (target: Target) => Price | undefined }>

/** Computes the cost of the usage. An unknown price stays unknown, and is never zero. */
export const meter = (prices: Prices): Policy<Call, Reply> =>
  async function meter(call, next) {
    const reply = await next(call)
    if (isRepeated(reply.head))
      return { ...reply, usage: reply.usage.then(usage => ({ ...usage, costPicoUsd: 0 })) }
    const price = prices.priceOf(reply.head.target)
    if (!price) return reply
    return {
      ...reply,
      usage: reply.usage.then(usage => ({ ...usage, costPicoUsd: costPicoUsd(usage, price) })),
    }
  }
