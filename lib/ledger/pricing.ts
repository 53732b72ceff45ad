import type { Billed } from '../llm/message.ts'
import type { Price, PriceChange, PriceList, TokenPrices, UnitPrice } from '../llm/providers/definition.ts'
import type { Usage } from '../llm/types.ts'
import { picoUsdOf } from '../money.ts'

const TOKENS_OF_A_PRICE = 1e6
const MINUTE_MS = 60_000
const DAY_MINUTES = 1_440
/** The price of an hour's cache write beside that of five minutes: 2 and 1.25 times the input. Source: Anthropic. */
const HOUR_WRITE = 1.6
/** Tiers that are billed at the usual prices. Source: OpenAI, Anthropic, Groq. */
const USUAL_TIERS: ReadonlySet<string> = new Set(['default', 'standard', 'auto', 'on_demand', 'scale'])

const perToken = (usdPerMillion: number, factor = 1): number =>
  Math.round((picoUsdOf(usdPerMillion) / TOKENS_OF_A_PRICE) * factor)

const minuteOf = (time: string): number => {
  const [hours, minutes] = time.split(':')
  return Number(hours) * 60 + Number(minutes)
}

/** Whether a time is in a daily window in UTC, which may span midnight. */
const isWithin = ({ from, to }: Readonly<{ from: string; to: string }>, at: number): boolean => {
  const minute = Math.floor(at / MINUTE_MS) % DAY_MINUTES
  const [start, end] = [minuteOf(from), minuteOf(to)]
  return start < end ? minute >= start && minute < end : minute >= start || minute < end
}

type Applied = Readonly<{ list: PriceList; factor: number }>

const changed = ({ list, factor }: Applied, change: PriceChange | undefined): Applied => {
  if (change === undefined) return { list, factor }
  return typeof change === 'number' ? { list, factor: factor * change } : { list: change, factor }
}

/** The prices that hold on the day of a request. */
const listAt = (price: Price, at: number): PriceList =>
  price.later?.findLast(({ from }) => at >= Date.parse(from))?.prices ?? price

/** The prices of one request: by its time, its tier, and the length of its input. */
const pricesOf = (
  price: Price,
  usage: Usage,
  at: number,
): Readonly<{ prices: TokenPrices; factor: number; isKnown: boolean }> => {
  const { serviceTier: tier } = usage
  const window = price.hours?.find(hours => isWithin(hours, at))
  const change =
    tier !== undefined && Object.hasOwn(price.tiers ?? {}, tier) ? price.tiers?.[tier] : undefined
  const { list, factor } = changed(changed({ list: listAt(price, at), factor: 1 }, window?.prices), change)
  const prices = list.longContext?.findLast(long => usage.inputTokens > long.aboveInputTokens) ?? list
  return { prices, factor, isKnown: tier === undefined || change !== undefined || USUAL_TIERS.has(tier) }
}

/** The price of a cache write for an hour; undefined where such writes have none of their own. */
const hourWrite = ({ cacheWrite, cacheWrite1h }: TokenPrices): number | undefined =>
  cacheWrite1h ?? (cacheWrite === undefined ? undefined : cacheWrite * HOUR_WRITE)

const tokenCost = (usage: Usage, prices: TokenPrices, factor: number): number => {
  const { input, output } = prices
  const cached = Math.min(usage.cachedInputTokens ?? 0, usage.inputTokens)
  const written = Math.min(usage.cacheWriteInputTokens ?? 0, usage.inputTokens - cached)
  const hourly = Math.min(usage.cacheWrite1hInputTokens ?? 0, written)
  const rest = usage.inputTokens - cached - written
  const audio = Math.min(usage.audioInputTokens ?? 0, rest)
  const images = Math.min(usage.imageInputTokens ?? 0, rest - audio)
  const reasoning = Math.min(usage.reasoningTokens ?? 0, usage.outputTokens)
  const audioOutput = Math.min(usage.audioOutputTokens ?? 0, usage.outputTokens - reasoning)
  const { cacheWrite = input } = prices
  const cacheWrite1h = hourWrite(prices) ?? input
  return (
    (rest - audio - images) * perToken(input, factor) +
    audio * perToken(prices.audioInput ?? input, factor) +
    images * perToken(prices.imageInput ?? input, factor) +
    cached * perToken(prices.cachedInput ?? input, factor) +
    (written - hourly) * perToken(cacheWrite, factor) +
    hourly * perToken(cacheWrite1h, factor) +
    (usage.outputTokens - reasoning - audioOutput) * perToken(output, factor) +
    reasoning * perToken(prices.reasoning ?? output, factor) +
    audioOutput * perToken(prices.audioOutput ?? output, factor)
  )
}

/** A cost in whole picodollars. `isSure`: false for a tier that the table does not have: then by the usual prices. */
export type Cost = Readonly<{ picoUsd: number; isSure: boolean }>

/**
 * What a usage costs, in whole picodollars (1e-12 US dollars), so that sums of prices such as 0.075 a million tokens
 * are exact up to 9,000 dollars an answer.
 *
 * @param at clock time of the request, milliseconds, for prices by the time of day
 */
export const costOfTokens = (usage: Usage, price: Price, at: number): Cost => {
  const { prices, factor, isKnown } = pricesOf(price, usage, at)
  return { picoUsd: tokenCost(usage, prices, factor), isSure: isKnown }
}

export type PriceQuery = Readonly<{
  /** The most tokens of input. */
  inputTokens: number
  /** The service tier that is asked for; another may serve it. */
  serviceTier: string | undefined
  /** Whether it may write to the provider's cache for an hour. Called only where that has a price of its own. */
  writesForAnHour: () => boolean
  /** Clock time, milliseconds. */
  at: number
}>

const highestInput = (prices: TokenPrices, writesForAnHour: () => boolean): number => {
  const { input, cachedInput = 0, cacheWrite = 0, audioInput = 0, imageInput = 0 } = prices
  const highest = Math.max(input, cachedInput, cacheWrite, audioInput, imageInput)
  const hourly = hourWrite(prices) ?? 0
  return hourly > highest && writesForAnHour() ? hourly : highest
}

const highestOutput = ({ output, reasoning, audioOutput }: TokenPrices): number =>
  Math.max(output, reasoning ?? 0, audioOutput ?? 0)

/** The highest price that a token of each direction may come to, in whole picodollars. */
export const highestTokenPrice = (price: Price, query: PriceQuery) => {
  const { inputTokens, serviceTier: tier, writesForAnHour, at } = query
  const usual = changed(
    { list: listAt(price, at), factor: 1 },
    price.hours?.find(hours => isWithin(hours, at))?.prices,
  )
  const asked = tier !== undefined && Object.hasOwn(price.tiers ?? {}, tier) ? price.tiers?.[tier] : undefined
  const all = [usual, changed(usual, asked)].flatMap(({ list, factor }) =>
    [list, ...(list.longContext ?? []).filter(long => inputTokens > long.aboveInputTokens)].map(prices => ({
      input: perToken(highestInput(prices, writesForAnHour), factor),
      output: perToken(highestOutput(prices), factor),
    })),
  )
  return {
    inputPicoUsd: Math.max(...all.map(({ input }) => input)),
    outputPicoUsd: Math.max(...all.map(({ output }) => output)),
  }
}

/** The price of an amount by its own unit; absent where the two do not fit. */
export const unitCostPicoUsd = (billed: Billed, price: UnitPrice): number | undefined => {
  switch (billed.unit) {
    case 'character':
      return price.unit === 'character' ? billed.count * perToken(price.usdPerMillion) : undefined
    case 'second':
      return price.unit === 'second' ? Math.round(billed.count * picoUsdOf(price.usd)) : undefined
    case 'image': {
      const usd =
        price.unit === 'image' && Object.hasOwn(price.usd, billed.kind) ? price.usd[billed.kind] : undefined
      return usd === undefined ? undefined : billed.count * picoUsdOf(usd)
    }
    default:
      return undefined
  }
}
