import { type Clock, sleep } from '../clock.ts'
import type { Records } from '../storage/records/records.ts'

const EVERY_MS = 600_000
/** Rows of one statement: few enough to delay no other writer. */
const AT_ONCE = 1_000
const NEVER = new AbortController().signal

export type MaintenanceDeps = Readonly<{
  records: Records
  clock: Clock
  keepMs: number
  onError: (error: unknown) => void
}>

/** Removes a table's rows of before a time, in turns. */
const removeBefore = async (
  records: Records,
  table: 'ledger_requests' | 'ledger_attempts',
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
}

/** Sweeps the ledger now, and every ten minutes. */
export const runMaintenance = async (deps: MaintenanceDeps): Promise<never> => {
  for (;;) {
    await sweepLedger(deps).catch(deps.onError)
    await sleep(deps.clock, EVERY_MS, NEVER)
  }
}
