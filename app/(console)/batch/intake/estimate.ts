import { cost, plural } from '../../format.ts'
import type { Model } from '../../gateway/wire.ts'
import type { Reading } from './reading.ts'

/** A rule of thumb for English; other languages take more. */
const CHARACTERS_PER_TOKEN = 4
/** An estimate needs no fractions of it. */
const CENT = 0.01

type Price = Pick<Model, 'inputUsdPerMillion'>

export type Estimate = {
  items: number
  tokens: number
  /** The cost of the input, without answers; `null` where the price is unknown. */
  costUsd: number | null
}

/** An estimate of these files: the instruction is sent with every item. */
export function estimate(
  readings: readonly Reading[],
  instruction: string,
  model: Price | undefined,
): Estimate {
  const items = readings.reduce((sum, reading) => sum + reading.items, 0)
  const characters = readings.reduce((sum, reading) => sum + reading.characters, 0)
  const tokens = Math.ceil((characters + instruction.trim().length * items) / CHARACTERS_PER_TOKEN)
  const price = model?.inputUsdPerMillion ?? null
  return { items, tokens, costUsd: price === null ? null : (tokens / 1_000_000) * price }
}

/** `About 12 items and 3,400 tokens to read, about $0.01; answers cost extra`. */
export function estimateAsWords({ items, tokens, costUsd }: Estimate): string {
  const amount = `About ${plural(items, 'item')} and ${plural(tokens, 'token')} to read`
  return costUsd === null ? `${amount}, ${cost(null)}` : `${amount}, ${about(costUsd)}; answers cost extra`
}

function about(costUsd: number): string {
  return costUsd > 0 && costUsd < CENT ? `less than ${cost(CENT)}` : `about ${cost(costUsd)}`
}
