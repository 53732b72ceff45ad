import type { Policy } from '../compose.ts'
import type { Price, UnitPrice } from '../llm/providers/definition.ts'
import { type Call, isRepeated, type Reply, type Target, type Usage } from '../llm/types.ts'
import { chargedPicoUsd, picoUsdOf } from '../money.ts'
import { type Cost, costOfTokens, unitCostPicoUsd } from './pricing.ts'

/** The prices of a target, by tokens or by another unit; absent where unknown. */
export type Prices = Readonly<{
  priceOf: (target: Target) => Price | undefined
  unitPriceOf: (target: Target) => UnitPrice | undefined
  /** US dollars for each call of a tool that the target's vendor runs, by its name. */
  callPricesOf: (target: Target) => Readonly<Record<string, number>>
  /** Called where a target has no price. */
  onUnpriced: (target: Target) => void
}>

/** What a vendor charges for the tools that it ran, in whole picodollars; undefined where one has no known price. */
const callCost = ({ hostedCalls }: Usage, target: Target, prices: Prices): number | undefined => {
  if (!hostedCalls) return 0
  const usd = prices.callPricesOf(target)
  return Object.entries(hostedCalls).reduce<number | undefined>(
    (sum, [name, count]) =>
      sum === undefined || !Object.hasOwn(usd, name) ? undefined : sum + count * picoUsdOf(usd[name] ?? 0),
    0,
  )
}

const tokensAndCalls = (usage: Usage, target: Target, price: Price, prices: Prices, at: number) => {
  const calls = callCost(usage, target, prices)
  if (calls === undefined) return undefined
  const cost = costOfTokens(usage, price, at)
  return { ...cost, picoUsd: cost.picoUsd + calls } satisfies Cost
}

const computedCost = (usage: Usage, target: Target, price: Price | undefined, prices: Prices, at: number) => {
  if (!usage.billed) return price && tokensAndCalls(usage, target, price, prices, at)
  const unitPrice = prices.unitPriceOf(target)
  const picoUsd = unitPrice && unitCostPicoUsd(usage.billed, unitPrice)
  return picoUsd === undefined ? undefined : ({ picoUsd, isSure: true } satisfies Cost)
}

/** Characters as tokens, where the price is by tokens. */
const inTokens = (usage: Usage, target: Target, prices: Prices): Usage => {
  const { billed, ...rest } = usage
  if (billed?.unit !== 'character' || !billed.tokens || usage.reportedPicoUsd !== undefined) return usage
  if (prices.unitPriceOf(target) || !prices.priceOf(target)) return usage
  return { ...rest, ...billed.tokens, estimated: true }
}

/**
 * The usage with its cost, to the nanodollar: the provider's own figure where it reports one, else that of the price table; both are kept.
 * An unknown price stays unknown, and is never zero; nothing used costs nothing.
 *
 * @param at clock time of the attempt, milliseconds
 */
export const pricedUsage = (known: Usage, target: Target, prices: Prices, at: number): Usage => {
  const usage = inTokens(known, target, prices)
  const price = prices.priceOf(target)
  const computed = computedCost(usage, target, price, prices, at)
  const { reportedPicoUsd: reported } = usage
  const cost = reported ?? computed?.picoUsd
  if (cost === undefined) {
    prices.onUnpriced(target)
    return usage
  }
  return {
    ...usage,
    costPicoUsd: chargedPicoUsd(cost),
    ...(reported !== undefined && computed && { computedPicoUsd: computed.picoUsd }),
    ...(computed && price?.version !== undefined && { priceVersion: price.version }),
    ...(reported === undefined && computed?.isSure === false && { estimated: true as const }),
  }
}

/** The usage of a repeated answer: it costs nothing, and saves what it once cost. */
const repeatedUsage = (usage: Usage, target: Target, prices: Prices, at: number): Usage => {
  const { costPicoUsd: saved } = pricedUsage(usage, target, prices, at)
  return { ...usage, costPicoUsd: 0, ...(saved !== undefined && { savedPicoUsd: saved }) }
}

/** Computes the cost of the usage, by the prices of the time when it was sent. */
export const meter = (prices: Prices): Policy<Call, Reply> =>
  async function meter(call, next) {
    const reply = await next(call)
    const priced = isRepeated(reply.head) ? repeatedUsage : pricedUsage
    const at = reply.attempt?.startedAt ?? call.startedAt
    return { ...reply, usage: reply.usage.then(usage => priced(usage, reply.head.target, prices, at)) }
  }
