import { type Clock, DAY_MS, repeat } from '../clock.ts'
import type { Records } from '../storage/records/records.ts'
import { foldings } from './columns.ts'
import { HOUR_MS } from './rollup.ts'

const EVERY_MS = 600_000
/** Rows of one statement: few enough to delay no other writer. */
const AT_ONCE = 1_000

export type MaintenanceDeps = Readonly<{
  records: Records
  clock: Clock
  keepMs: number
  onError: (error: unknown) => void
}>

/** Since when there are sums by hour, and by addresses and guests: the start of a day. */
export const detailedSince = (now: number, keepMs: number): number =>
  Math.floor((now - keepMs) / DAY_MS) * DAY_MS

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

/** Removes the sums of hours, one hour at a time. */
const removeHours = async (records: Records, before: number): Promise<void> => {
  for (;;) {
    const first = await records.read(db =>
      db
        .selectFrom('ledger_rollups')
        .select('start')
        .where('span', '=', HOUR_MS)
        .where('start', '<', before)
        .orderBy('start')
        .limit(1)
        .executeTakeFirst(),
    )
    if (!first) return
    await records.writeTogether(db => [
      db.deleteFrom('ledger_rollups').where('span', '=', HOUR_MS).where('start', '=', first.start),
    ])
  }
}

/** Folds the sums of addresses and guests by day into one that names none of them. */
const foldDays = async (records: Records, before: number): Promise<void> => {
  const fold = foldings(records.dialect)
  for (;;) {
    const rows = await records.read(db =>
      db
        .selectFrom('ledger_rollups')
        .select(['start', 'owner'])
        .where('key_id', '=', '')
        .where('span', '=', DAY_MS)
        .where('start', '<', before)
        .where('owner', '<>', '')
        .orderBy('start')
        .orderBy('owner')
        .limit(AT_ONCE)
        .execute(),
    )
    const start = rows[0]?.start
    if (start === undefined) return
    const owner = rows.findLast(row => row.start === start)?.owner ?? ''
    await records.writeTogether(() => fold(DAY_MS, start, owner).map(query => ({ query })))
  }
}

/**
 * Removes what is older than it is to be kept: rows, and sums by hour. Sums by day stay, those of keys as they are;
 * those of addresses and guests become one.
 */
export const sweepLedger = async ({ records, clock, keepMs }: MaintenanceDeps): Promise<void> => {
  const now = clock.now()
  await removeBefore(records, 'ledger_attempts', now - keepMs)
  await removeBefore(records, 'ledger_requests', now - keepMs)
  await removeHours(records, detailedSince(now, keepMs))
  await foldDays(records, detailedSince(now, keepMs))
}

/** Sweeps the ledger now, and every ten minutes. */
export const runMaintenance = (deps: MaintenanceDeps): Promise<never> =>
  repeat({ ...deps, everyMs: EVERY_MS }, () => sweepLedger(deps))
