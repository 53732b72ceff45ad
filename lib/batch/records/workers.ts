import type { Kysely } from 'kysely'
import type { Records } from '../../storage/records/records.ts'
import type { RecordsSchema } from '../../storage/records/schema.ts'

/** A worker without a heartbeat for this long no longer counts. */
const GONE_MS = 30_000

/** See `BatchRecords.heartbeat`. */
export const heartbeat = async (records: Records, workerId: string, now: number): Promise<void> => {
  await records.writeTogether(db => [
    db
      .insertInto('batch_workers')
      .values({ id: workerId, seen_at: now })
      .onConflict(conflict => conflict.column('id').doUpdateSet({ seen_at: now })),
    db.deleteFrom('batch_workers').where('seen_at', '<', now - GONE_MS),
  ])
}

/** See `BatchRecords.probe`. The row's time is one at which no worker is counted. */
export const probe = async (records: Records, id: string): Promise<void> => {
  await records.writeTogether(db => [
    db
      .insertInto('batch_workers')
      .values({ id, seen_at: 0 })
      .onConflict(conflict => conflict.column('id').doUpdateSet({ seen_at: 0 })),
    db.deleteFrom('batch_workers').where('id', '=', id),
  ])
}

export const countWorkers = async (db: Kysely<RecordsSchema>, now: number): Promise<number> => {
  const { count } = await db
    .selectFrom('batch_workers')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('seen_at', '>=', now - GONE_MS)
    .executeTakeFirstOrThrow()
  return Number(count)
}
