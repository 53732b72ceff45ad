import { cost, plural } from '../../format.ts'
import type { Model } from '../../gateway/wire.ts'
import type { Reading } from './reading.ts'

/** A rule of thumb for English; other languages take more. */
const CHARACTERS_PER_TOKEN = 4
/** An estimate needs no fractions of it. */
const CENT = 0.01
const MOST_NAMES = 3

export type Estimate = {
  items: number
  tokens: number
  /** The cost of the input, without answers; `null` where the price of one of the models is unknown. */
  costUsd: number | null
  /** The models named in the files whose price is unknown. */
  unpriced: readonly string[]
}

type Price = Pick<Model, 'inputUsdPerMillion'>
type Prices = {
  /** The price of rows that name no model; undefined where it is unknown. */
  chosen: Price | undefined
  /** The price of a model that a row names. */
  named: (name: string) => Price | undefined
}

/** Items with one price. */
type Portion = { characters: number; items: number; price: Price | undefined; model?: string }

/** An estimate of these files, each row at its own model's price: the instruction is sent with every item. */
export function estimate(readings: readonly Reading[], instruction: string, prices: Prices): Estimate {
  const longer = instruction.trim().length
  const portions = readings.flatMap(reading => portionsOf(reading, longer, prices))
  const tokens = Math.ceil(sum(portions, tokensOf))
  const unpriced = new Set(portions.filter(isUnpriced).flatMap(({ model }) => model ?? []))
  return {
    items: sum(portions, ({ items }) => items),
    tokens,
    costUsd: portions.some(isUnpriced) ? null : sum(portions, costOf),
    unpriced: [...unpriced],
  }
}

function portionsOf(reading: Reading, longer: number, { chosen, named }: Prices): Portion[] {
  const own = reading.own ?? []
  const items = reading.items - sum(own, share => share.items)
  const characters = Math.max(0, reading.characters - sum(own, share => share.characters))
  // Line breaks and brackets between rows are left where each row names a model: they belong to no item.
  const others = items > 0 ? [{ characters: characters + longer * items, items, price: chosen }] : []
  const shares = own.map(share => ({
    characters: share.characters + (share.instructed ? longer * share.items : 0),
    items: share.items,
    price: named(share.model),
    model: share.model,
  }))
  return [...others, ...shares]
}

const isUnpriced = ({ price }: Portion): boolean => (price?.inputUsdPerMillion ?? null) === null

const tokensOf = ({ characters }: Portion): number => characters / CHARACTERS_PER_TOKEN

const costOf = (portion: Portion): number =>
  (tokensOf(portion) / 1_000_000) * (portion.price?.inputUsdPerMillion ?? 0)

function sum<Entry>(entries: readonly Entry[], amountOf: (entry: Entry) => number): number {
  return entries.reduce((total, entry) => total + amountOf(entry), 0)
}

/** `About 12 items, 3,400 input tokens, about $0.01; answers cost extra`. */
export function estimateAsWords({ items, tokens, costUsd, unpriced }: Estimate): string {
  const amount = `About ${plural(items, 'item')}, ${plural(tokens, 'input token')}`
  if (costUsd !== null) return `${amount}, ${about(costUsd)}; answers cost extra`
  const more = unpriced.length > MOST_NAMES ? ', …' : ''
  const names = unpriced.length > 0 ? ` (${unpriced.slice(0, MOST_NAMES).join(', ')}${more})` : ''
  return `${amount}, ${cost(null)}${names}`
}

function about(costUsd: number): string {
  return costUsd > 0 && costUsd < CENT ? `less than ${cost(CENT)}` : `about ${cost(costUsd)}`
}
