import type { HoldRecords } from './hold-records.ts'
import { dayOf } from './period.ts'
import type { Counter, LedgerSums } from './types.ts'

/** A counter that is not what the ledger says. */
export type Difference = Readonly<{ counter: Counter; ledgerNanoUsd: number }>

export type ReconcilerDeps = Readonly<{
  records: Pick<HoldRecords, 'countersOf' | 'raise'>
  ledgerSums: LedgerSums
  now: () => number
  /** Called when a counter lacked something that is in the ledger, and was raised by that. */
  onRaised: (difference: Difference & Readonly<{ byNanoUsd: number }>) => void
  /** Called once for each counter that has more than the ledger. */
  onSurplus: (difference: Difference) => void
}>

type Compared = Readonly<{ spent: number; lacking: number }>

const nameOf = ({ scope, period }: Counter): string => `${period} ${scope}`

/**
 * Compares the counters with the ledger. A row of the ledger is written a moment after its settlement or before it, so
 * one round proves nothing; what two rounds in a row have in common is no such moment, also under traffic.
 *
 * What a counter lacks is added. What it has too much stays: a cost that the ledger does not know is booked at its
 * reserved amount, and a process that was killed loses its last rows, so that the money is likely to have been spent.
 */
export class Reconciler {
  readonly #deps: ReconcilerDeps
  #last = new Map<string, Compared>()
  readonly #reported = new Set<string>()

  constructor(deps: ReconcilerDeps) {
    this.#deps = deps
  }

  /** One round over the counters of today and this month; rounds should be many seconds apart. */
  async compare(): Promise<void> {
    const { records, ledgerSums, now, onRaised, onSurplus } = this.#deps
    const day = dayOf(now())
    // First, so that what is settled meanwhile is not taken for something that is lacking.
    const ledgerSum = await ledgerSums(day)
    const compared = new Map<string, Compared>()
    for (const counter of await records.countersOf(day)) {
      const name = nameOf(counter)
      const ledgerNanoUsd = ledgerSum(counter.scope, counter.period)
      const before = this.#last.get(name)
      const lacking = ledgerNanoUsd - counter.spent
      const common = Math.min(lacking, before?.lacking ?? 0)
      compared.set(name, { spent: counter.spent, lacking })
      if (common > 0) {
        compared.delete(name)
        if (await records.raise(counter, common)) onRaised({ counter, ledgerNanoUsd, byNanoUsd: common })
      } else if (before && before.spent > ledgerNanoUsd && !this.#reported.has(name)) {
        this.#reported.add(name)
        onSurplus({ counter, ledgerNanoUsd })
      }
    }
    this.#last = compared
    for (const name of this.#reported) if (!compared.has(name)) this.#reported.delete(name)
  }
}
