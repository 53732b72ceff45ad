import type { Policy } from '../compose.ts'
import type { Price } from '../llm/providers/definition.ts'
import { type Call, isRepeated, type Reply, type Target } from '../llm/types.ts'
import { costPicoUsd } from './cost.ts'

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
