import { LRUCache } from 'lru-cache'
import type { Prices } from '../ledger/meter.ts'
import type { Catalog } from '../llm/catalog.ts'
import type { Target } from '../llm/types.ts'
import type { Logger } from '../observability/logger.ts'

const MOST_UNPRICED = 1_000
const WARNED_AGAIN_AFTER_MS = 3_600_000

/** Warns of a target without a price, once an hour for each. */
export const unpricedWarnings = (logger: Logger): NonNullable<Prices['onUnpriced']> => {
  const warned = new LRUCache<string, true>({ max: MOST_UNPRICED, ttl: WARNED_AGAIN_AFTER_MS })
  return ({ provider, name }: Target) => {
    const key = `${provider} ${name}`
    if (warned.has(key)) return
    warned.set(key, true)
    logger.warn(
      { provider, model: name, component: 'ledger' },
      'this model has no price: the cost of its answers is unknown; set usdPerMillion in GATEWAY_CONFIG',
    )
  }
}

export const pricesOf = (catalog: Catalog, onUnpriced: NonNullable<Prices['onUnpriced']>): Prices => ({
  priceOf: target => catalog.priceOf(target),
  unitPriceOf: target => catalog.unitPriceOf(target),
  onUnpriced,
})
