import { LRUCache } from 'lru-cache'
import type { HoldRecords } from './hold-records.ts'
import { monthOf } from './period.ts'
import type { LedgerSum, Scope } from './types.ts'

const MOST_KNOWN = 20_000

/**
 * Begins the counters of budgets with what the ledger says was spent before they existed: a budget that is set in the
 * middle of a period includes what that period has cost.
 */
export class Beginnings {
  readonly #records: Pick<HoldRecords, 'missing' | 'begin'>
  readonly #ledgerSum: LedgerSum
  /** Scopes and days whose counters exist, or are being begun. */
  readonly #known = new LRUCache<string, 'begun' | Promise<void>>({
    maxSize: MOST_KNOWN,
    sizeCalculation: () => 1,
  })

  constructor(records: Pick<HoldRecords, 'missing' | 'begin'>, ledgerSum: LedgerSum) {
    this.#records = records
    this.#ledgerSum = ledgerSum
  }

  /** Makes sure that the counters of a day and its month exist; undefined where it is known that they do. */
  ensure(scopes: readonly Scope[], day: string): Promise<unknown> | undefined {
    const unknown = scopes.filter(scope => this.#known.get(`${day} ${scope}`) !== 'begun')
    return unknown.length === 0 ? undefined : Promise.all(unknown.map(scope => this.#begun(scope, day)))
  }

  /** Before a scope that had no limit gets one: its counters may exist from an earlier limit, and lack what followed. */
  async raise(scope: Scope, day: string): Promise<void> {
    await this.#begin(scope, [day, monthOf(day)], 'createOrRaise')
  }

  #begun(scope: Scope, day: string): Promise<void> {
    const name = `${day} ${scope}`
    const known = this.#known.get(name)
    if (known instanceof Promise) return known
    const begun = this.#records
      .missing(scope, day)
      .then(periods => this.#begin(scope, periods, 'create'))
      .then(
        () => void this.#known.set(name, 'begun'),
        error => {
          this.#known.delete(name)
          throw error
        },
      )
    this.#known.set(name, begun)
    return begun
  }

  async #begin(scope: Scope, periods: readonly string[], kind: 'create' | 'createOrRaise'): Promise<void> {
    if (periods.length === 0) return
    const counters = await Promise.all(
      periods.map(async period => ({ scope, period, spent: await this.#ledgerSum(scope, period) })),
    )
    await this.#records.begin(counters, kind)
  }
}
