import type { Usage } from '../llm/types.ts'
import { usdOf } from '../money.ts'

/** A number without an exponent, which few header parsers expect. */
const decimal = (value: number): string => {
  const shortest = String(value)
  return shortest.includes('e') ? value.toFixed(12).replace(/\.?0+$/, '') : shortest
}

/** The cost of a whole answer as a header; none where it is unknown. */
export const costHeaders = ({ costPicoUsd }: Usage): Readonly<Record<string, string>> =>
  costPicoUsd === undefined ? {} : { 'x-gateway-cost-usd': decimal(usdOf(costPicoUsd)) }
