import { type Clock, repeat } from '../clock.ts'
import type { Records } from '../storage/records/records.ts'

const EVERY_MS = 600_000
/** Rows of one statement: few enough to delay no other writer. */
const AT_ONCE = 1_000
/** A group is repeated within seconds; while the database is away it was not written. */
const GROUPS_KEPT_MS = 3_600_000

export type MaintenanceDeps = Readonly<{
  records: Records
  clock: Clock
  keepMs: number
  onError: (error: unknown) => void
}>

/** Removes a table's rows of before a time, in turns. */
const removeBefore = async (
  records: Records,
  table: 'ledger_requests' | 'ledger_attempts' | 'ledger_groups',
  before: number,
): Promise<void> => {
  for (;;) {
    const [result] =
      (await records.writeTogether(db => [
        db
          .deleteFrom(table)
          .where('id', 'in', query =>
            query
              .selectFrom(table)
              .select('id')
              .where('at', '<', Math.floor(before))
              .orderBy('at')
              .limit(AT_ONCE),
          ),
      ])) ?? []
    if (Number(result?.numAffectedRows ?? 0) < AT_ONCE) return
  }
}

/** Removes rows that are older than they are to be kept. Their sums stay. */
export const sweepLedger = async ({ records, clock, keepMs }: MaintenanceDeps): Promise<void> => {
  const now = clock.now()
  await removeBefore(records, 'ledger_attempts', now - keepMs)
  await removeBefore(records, 'ledger_requests', now - keepMs)
  await removeBefore(records, 'ledger_groups', now - GROUPS_KEPT_MS)
}

/** Sweeps the ledger now, and every ten minutes. */
export const runMaintenance = (deps: MaintenanceDeps): Promise<never> =>
  repeat({ ...deps, everyMs: EVERY_MS }, () => sweepLedger(deps))
