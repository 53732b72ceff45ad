import type { HoldRecords } from './hold-records.ts'
import { dayOf } from './period.ts'
import type { Counter, LedgerSum } from './types.ts'

/** A counter that was not what the ledger says, and has been corrected. */
export type Correction = Readonly<{ counter: Counter; ledgerNanoUsd: number }>

export type ReconcilerDeps = Readonly<{
  records: HoldRecords
  ledgerSum: LedgerSum
  now: () => number
  onCorrected: (correction: Correction) => void
}>

const nameOf = ({ scope, period }: Counter): string => `${period} ${scope}`

/**
 * Compares the counters with the ledger, which is the truth. A row of the ledger may be written a moment after its
 * settlement or before: only a difference that two rounds have found unchanged is corrected.
 */
export class Reconciler {
  readonly #deps: ReconcilerDeps
  #differences = new Map<string, string>()

  constructor(deps: ReconcilerDeps) {
    this.#deps = deps
  }

  /** One round over the counters of today and this month; rounds should be some seconds apart. */
  async compare(): Promise<void> {
    const { records, ledgerSum, now, onCorrected } = this.#deps
    const found = new Map<string, string>()
    for (const counter of await records.countersOf(dayOf(now()))) {
      const ledgerNanoUsd = await ledgerSum(counter.scope, counter.period)
      if (ledgerNanoUsd === counter.spent) continue
      const difference = `${counter.spent} ${ledgerNanoUsd}`
      const wasFound = this.#differences.get(nameOf(counter)) === difference
      if (!wasFound) found.set(nameOf(counter), difference)
      else if (await records.correct(counter, ledgerNanoUsd)) onCorrected({ counter, ledgerNanoUsd })
    }
    this.#differences = found
  }
}
