import { type Caller, countedKeysOf } from '../caller.ts'
import type { Clock } from '../clock.ts'
import type { BudgetRecorder, LimitRecords } from './limit-records.ts'
import { kindOf, scopesOf } from './scope.ts'
import type { Limit, Scope } from './types.ts'

const EVERY_MS = 2_000
/** Changes of other processes may be written this much later than their time says. */
const OVERLAP_MS = 10_000
const NONE: readonly Limit[] = []

export type LimitsDeps = Readonly<{
  records: LimitRecords
  /** The clock that all processes on this database share. */
  clock: Clock
  onError: (error: unknown) => void
}>

export const isLimit = ({ dayNanoUsd, monthNanoUsd }: Omit<Limit, 'scope'>): boolean =>
  dayNanoUsd !== undefined || monthNanoUsd !== undefined

/** The limits of a key, then those of the keys that made it, in which its spending counts too. */
const limitsOfKeys = (caller: Caller): readonly Limit[] =>
  countedKeysOf(caller).flatMap(({ id, budget }): readonly Limit[] =>
    budget && isLimit(budget) ? [{ scope: `key:${id}`, ...budget }] : [],
  )

/**
 * All limits but those of keys, which come with their callers, in memory: a call looks up its own without waiting.
 * Changes by other processes take effect within about two seconds; while the database is unavailable, the last known
 * limits apply.
 */
export class Limits {
  readonly #deps: LimitsDeps
  readonly #byScope = new Map<Scope, Limit>()
  /** Found already: two policies of a call ask for the same. */
  #byCaller = new WeakMap<Caller, readonly Limit[]>()
  #seenUntil = 0

  private constructor(deps: LimitsDeps) {
    this.#deps = deps
  }

  /** Reads them, now and every two seconds. Rejects where the first reading fails. */
  static async read(deps: LimitsDeps): Promise<Limits> {
    const limits = new Limits(deps)
    await limits.refresh()
    const timer = deps.clock.timer(EVERY_MS, async () => {
      await limits.refresh().catch(deps.onError)
      timer.refresh()
    })
    return limits
  }

  /** The limits that a caller's spending counts against. */
  readonly of = (caller: Caller): readonly Limit[] => {
    const known = this.#byCaller.get(caller)
    if (known) return known
    const limits = this.#find(caller)
    this.#byCaller.set(caller, limits)
    return limits
  }

  async set(limit: Limit, record: BudgetRecorder): Promise<void> {
    await this.#deps.records.set(limit, this.#deps.clock.now(), record)
    this.#apply(limit)
  }

  async refresh(): Promise<void> {
    const changed = await this.#deps.records.changedSince(this.#seenUntil - OVERLAP_MS)
    for (const { limit, updatedAt } of changed) {
      this.#apply(limit)
      this.#seenUntil = Math.max(this.#seenUntil, updatedAt)
    }
  }

  #find(caller: Caller): readonly Limit[] {
    const ofKeys = limitsOfKeys(caller)
    if (this.#byScope.size === 0) return ofKeys.length === 0 ? NONE : ofKeys
    return scopesOf(caller).flatMap(scope =>
      kindOf(scope) === 'key' && ofKeys.length > 0 ? ofKeys : (this.#byScope.get(scope) ?? []),
    )
  }

  #apply(limit: Limit): void {
    this.#byCaller = new WeakMap()
    if (isLimit(limit)) this.#byScope.set(limit.scope, limit)
    else this.#byScope.delete(limit.scope)
  }
}
