import type { Prices } from '#lib/ledger/meter.ts'

/** Prices of a test: those that it gives, and no others. What has none is not reported. */
export const pricesWith = (known: Partial<Prices> = {}): Prices => ({
  priceOf: () => undefined,
  unitPriceOf: () => undefined,
  callPricesOf: () => ({}),
  onUnpriced: () => {},
  ...known,
})
