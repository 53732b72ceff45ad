import { cost, plural } from '../format.ts'
import type { UsageSums } from './wire.ts'

const NANO_PER_USD = 1_000_000_000n
const DECIMALS = 9
const LEAST_DECIMALS = 2

/** Whole nanodollars of an amount in US dollars. */
export const nanoOfUsd = (usd: number): bigint => BigInt(Math.round(usd * Number(NANO_PER_USD)))

/** `$1,234.50`, `$0.000123`: exact, with two to nine decimals. @param nanoUsd whole nanodollars */
export function dollars(nanoUsd: bigint): string {
  const sign = nanoUsd < 0n ? '-' : ''
  const amount = nanoUsd < 0n ? -nanoUsd : nanoUsd
  const decimals = String(amount % NANO_PER_USD)
    .padStart(DECIMALS, '0')
    .replace(/0+$/, '')
    .padEnd(LEAST_DECIMALS, '0')
  return `${sign}$${(amount / NANO_PER_USD).toLocaleString('en')}.${decimals}`
}

/** The cost of a row of usage, with what is not in it because its price is unknown. */
export function costOf({ costUsd, costNanoUsd, unpricedAttempts }: UsageSums): string {
  if (costUsd === null) return cost(null)
  const known = dollars(BigInt(costNanoUsd))
  return unpricedAttempts === 0 ? known : `${known}, ${cost(null)} for ${plural(unpricedAttempts, 'attempt')}`
}
