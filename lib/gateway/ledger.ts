import { randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { endOf, isDay } from '../budgets/period.ts'
import { kindOf } from '../budgets/scope.ts'
import type { LedgerSum, LedgerSums, Scope } from '../budgets/types.ts'
import type { Clock } from '../clock.ts'
import { type CostSums, costSum, costsByDay } from '../ledger/cost-sum.ts'
import { Ledger, type ModelName } from '../ledger/ledger.ts'
import type { Prices } from '../ledger/meter.ts'
import { flushed } from '../ledger/service.ts'
import { LedgerWriter } from '../ledger/writer.ts'
import type { Catalog } from '../llm/catalog.ts'
import { callPricesOf } from '../llm/providers/prices/hosted-calls.ts'
import type { Target } from '../llm/types.ts'
import type { Logger } from '../observability/logger.ts'
import type { Records } from '../storage/records/records.ts'

const MOST_UNPRICED = 1_000
const WARNED_AGAIN_AFTER_MS = 3_600_000

/** Warns of a target without a price, once an hour for each. */
export const unpricedWarnings = (logger: Logger): Prices['onUnpriced'] => {
  const warned = new LRUCache<string, true>({ max: MOST_UNPRICED, ttl: WARNED_AGAIN_AFTER_MS })
  return ({ provider, name }: Target) => {
    const key = `${provider} ${name}`
    if (warned.has(key)) return
    warned.set(key, true)
    logger.warn(
      { provider, model: name, component: 'ledger' },
      'this model has no price, or a tool that its provider ran: the cost of its answers is unknown; set usdPerMillion in GATEWAY_CONFIG',
    )
  }
}

export const pricesOf = (catalog: Catalog, onUnpriced: Prices['onUnpriced']): Prices => ({
  priceOf: target => catalog.priceOf(target),
  unitPriceOf: target => catalog.unitPriceOf(target),
  callPricesOf: ({ provider }) => callPricesOf(provider),
  onUnpriced,
})

const ID_BYTES = 12
const RADIX = 36

const startOf = (period: string): number => Date.parse(isDay(period) ? period : `${period}-01`)
const nameIn = (scope: Scope): string => scope.slice(scope.indexOf(':') + 1)

const costOf = (scope: Scope, { all, byOwner, byKey }: CostSums): number => {
  switch (kindOf(scope)) {
    case 'owner':
      return byOwner.get(`owner ${nameIn(scope)}`) ?? 0
    case 'key':
      return byKey.get(nameIn(scope)) ?? 0
    default:
      return all
  }
}

/** What the counters of budgets begin with, and are compared with. */
export const ledgerSumsOf = (
  records: Records,
  ledger: Ledger,
  clock: Clock,
): Readonly<{ ledgerSum: LedgerSum; ledgerSums: LedgerSums }> => {
  const costsOf = costsByDay(records)
  return {
    async ledgerSum(scope, period) {
      const days = { from: startOf(period), to: endOf(period) }
      await flushed(ledger, clock)
      switch (kindOf(scope)) {
        case 'owner':
          return costSum(records, { ...days, owner: `owner ${nameIn(scope)}` })
        case 'key':
          return costSum(records, { ...days, keyId: nameIn(scope) })
        default:
          return costSum(records, days)
      }
    },
    async ledgerSums(day) {
      await flushed(ledger, clock)
      const costs = await costsOf(startOf(day))
      return (scope, period) =>
        costs[isDay(period) ? 'day' : 'month'].reduce((sum, one) => sum + costOf(scope, one), 0)
    },
  }
}

/** Ids that no other process makes: a random prefix of this one, and a number. */
const newIds = (): (() => string) => {
  const prefix = randomBytes(ID_BYTES).toString('base64url')
  let count = 0
  return () => {
    count += 1
    return `${prefix}.${count.toString(RADIX)}`
  }
}

type LedgerDeps = Readonly<{ records: Records; clock: Clock; logger: Logger; modelName: ModelName }>

/** The ledger of this process, and how it is closed: before its database. */
export type LedgerRuntime = Readonly<{ ledger: Ledger; close: () => Promise<void> }>

export const buildLedger = ({ records, clock, logger, modelName }: LedgerDeps): LedgerRuntime => {
  const newId = newIds()
  const writer = new LedgerWriter({
    records,
    clock,
    onLost: (rows, err) =>
      logger.error(
        { rows, err, component: 'ledger' },
        'rows of the ledger are lost: they could not be written',
      ),
  })
  return { ledger: new Ledger(writer, newId, modelName), close: () => writer.close() }
}
