import { type Clock, repeat } from '../clock.ts'
import type { Budgets } from './budgets.ts'
import type { HoldRecords } from './hold-records.ts'
import { dayOf, monthOf } from './period.ts'
import type { Reconciler } from './reconcile.ts'
import type { Counter } from './types.ts'

const EVERY_MS = 5_000
/** Rounds between two comparisons with the ledger, and between two removals. */
const COMPARED_EVERY = 12
const REMOVED_EVERY = 720
const EXPIRED_KEPT_MS = 7 * 86_400_000
const COUNTERS_KEPT_MS = 400 * 86_400_000

export type BudgetMaintenanceDeps = Readonly<{
  budgets: Pick<Budgets, 'takeBack'>
  records: HoldRecords
  reconciler: Reconciler
  clock: Clock
  onCounters: (counters: readonly Counter[]) => void
  onError: (error: unknown) => void
}>

const round = async (number: number, deps: BudgetMaintenanceDeps): Promise<void> => {
  const { budgets, records, reconciler, clock, onCounters } = deps
  const now = clock.now()
  await budgets.takeBack()
  onCounters(await records.countersOf(dayOf(now)))
  if (number % COMPARED_EVERY === 0) await reconciler.compare()
  if (number % REMOVED_EVERY === 0)
    await records.removeOld(now - EXPIRED_KEPT_MS, monthOf(dayOf(now - COUNTERS_KEPT_MS)))
}

/** Takes back reservations of ended processes every five seconds, and compares the counters with the ledger every minute. */
export const runBudgetMaintenance = (deps: BudgetMaintenanceDeps): Promise<never> =>
  repeat({ ...deps, everyMs: EVERY_MS }, number => round(number, deps))
