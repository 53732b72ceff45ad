import type { Policy } from '../compose.ts'
import { type Billed, picoUsdOf } from '../llm/message.ts'
import type { Price, UnitPrice } from '../llm/providers/definition.ts'
import { type Call, isRepeated, type Reply, type Target, type Usage } from '../llm/types.ts'

const TOKENS_OF_A_PRICE = 1e6

const perToken = (usdPerMillion: number): number => Math.round(picoUsdOf(usdPerMillion) / TOKENS_OF_A_PRICE)

/**
 * What a usage costs, in whole picodollars (1e-12 US dollars), so that sums of prices such as 0.075 a million tokens
 * are exact up to 9,000 dollars an answer.
 */
export const costPicoUsd = (usage: Usage, price: Price): number => {
  const cached = Math.min(usage.cachedInputTokens ?? 0, usage.inputTokens)
  const written = Math.min(usage.cacheWriteInputTokens ?? 0, usage.inputTokens - cached)
  const rest = usage.inputTokens - cached - written
  const audio = Math.min(usage.audioInputTokens ?? 0, rest)
  const images = Math.min(usage.imageInputTokens ?? 0, rest - audio)
  return (
    (rest - audio - images) * perToken(price.input) +
    audio * perToken(price.audioInput ?? price.input) +
    images * perToken(price.imageInput ?? price.input) +
    cached * perToken(price.cachedInput ?? price.input) +
    written * perToken(price.cacheWrite ?? price.input) +
    usage.outputTokens * perToken(price.output)
  )
}

/** The highest price of a token of each direction, in whole picodollars. */
export const highestTokenPrice = (price: Price) => {
  const { input, cachedInput = 0, cacheWrite = 0, audioInput = 0, imageInput = 0, output } = price
  return {
    inputPicoUsd: perToken(Math.max(input, cachedInput, cacheWrite, audioInput, imageInput)),
    outputPicoUsd: perToken(output),
  }
}

/** The price of an amount by its own unit; absent where the two do not fit. */
const unitCostPicoUsd = (billed: Billed, price: UnitPrice): number | undefined => {
  switch (billed.unit) {
    case 'character':
      return price.unit === 'character' ? billed.count * perToken(price.usdPerMillion) : undefined
    case 'second':
      return price.unit === 'second' ? Math.round(billed.count * picoUsdOf(price.usd)) : undefined
    case 'image': {
      const usd = price.unit === 'image' ? price.usd[billed.kind] : undefined
      return usd === undefined ? undefined : billed.count * picoUsdOf(usd)
    }
    default:
      return undefined
  }
}

/** The prices of a target, by tokens or by another unit; absent where unknown. */
export type Prices = Readonly<{
  priceOf: (target: Target) => Price | undefined
  unitPriceOf: (target: Target) => UnitPrice | undefined
}>

/** What a usage costs at a target, in whole picodollars; undefined where its price is unknown. */
export const costOf = (usage: Usage, target: Target, prices: Prices): number | undefined => {
  if (usage.billed) {
    const unitPrice = prices.unitPriceOf(target)
    return unitPrice && unitCostPicoUsd(usage.billed, unitPrice)
  }
  const price = prices.priceOf(target)
  return price && costPicoUsd(usage, price)
}

const withCost = (usage: Usage, target: Target, prices: Prices): Usage => {
  const cost = costOf(usage, target, prices)
  return cost === undefined ? usage : { ...usage, costPicoUsd: cost }
}

/** Computes the cost of the usage. An unknown price stays unknown, and is never zero. */
export const meter = (prices: Prices): Policy<Call, Reply> =>
  async function meter(call, next) {
    const reply = await next(call)
    if (isRepeated(reply.head))
      return { ...reply, usage: reply.usage.then(usage => ({ ...usage, costPicoUsd: 0 })) }
    return { ...reply, usage: reply.usage.then(usage => withCost(usage, reply.head.target, prices)) }
  }
