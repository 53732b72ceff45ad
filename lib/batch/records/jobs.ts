import { type Kysely, sql } from 'kysely'
import { cursorOf, readCursor, rowsAfter } from '../../storage/records/pages.ts'
import type { Records } from '../../storage/records/records.ts'
import type { RecordsSchema } from '../../storage/records/schema.ts'
import { type Depth, JOB_STATES, type Job, type Page, PRIORITIES, type Priority } from '../types.ts'
import { inLockOrder, lockItems } from './locks.ts'
import { COST, JOB_COLUMNS, jobOf, rankOf } from './rows.ts'
import { countWorkers } from './workers.ts'

const JOB_ID = /^batch_[\da-f]{32}$/
const OPEN = ['queued', 'running']
const ENDED = ['completed', 'failed', 'cancelled']

const selectJobs = (db: Kysely<RecordsSchema>) =>
  db
    .selectFrom('batch_jobs')
    .select([...JOB_COLUMNS, COST])
    .where('state', 'in', JOB_STATES)
    .where('is_v1', '=', 0)

export const findJob = (records: Records, owner: string, id: string): Promise<Job | undefined> =>
  records.read(async db => {
    const row = await selectJobs(db).where('owner', '=', owner).where('id', '=', id).executeTakeFirst()
    return row && jobOf(row)
  })

/** Newest first. */
export const listJobs = (
  records: Records,
  owner: string,
  { limit, cursor }: Readonly<{ limit: number; cursor?: string | undefined }>,
): Promise<Page<Job>> =>
  records.read(async db => {
    let query = selectJobs(db).where('owner', '=', owner)
    if (cursor !== undefined)
      query = query.where(where => rowsAfter(where, ['created_at', 'id'], 'desc', readCursor(cursor, JOB_ID)))
    const rows = await query
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute()
    const entries = rows.slice(0, limit).map(jobOf)
    const last = entries.at(-1)
    return rows.length > limit && last
      ? { entries, cursor: cursorOf({ at: last.createdAt, id: last.id }) }
      : { entries }
  })

type Queries = Pick<Kysely<RecordsSchema>, 'selectFrom'>

const itemsIn = (db: Queries, jobId: string, state: 'running' | 'failed') =>
  db.selectFrom('batch_items').select('place').where('job_id', '=', jobId).where('state', '=', state)

/**
 * Its open items count as cancelled from now on. Waiting items need no update for that; running ones are ended.
 */
export const cancelJob = (records: Records, owner: string, id: string, now: number): Promise<boolean> =>
  records.write(async db => {
    await lockItems(db, records.dialect, queries => itemsIn(queries, id, 'running'))
    const { numUpdatedRows } = await db
      .updateTable('batch_jobs')
      .set(update => ({
        state: 'cancelled',
        ended_at: now,
        cancelled: sql<number>`cancelled + queued + running`,
        queued: 0,
        running: 0,
        webhook_state: update.case().when('webhook_url', 'is', null).then('none').else('due').end(),
        webhook_at: now,
        webhook_attempts: 0,
      }))
      .where('owner', '=', owner)
      .where('id', '=', id)
      .where('state', 'in', OPEN)
      .executeTakeFirst()
    if (numUpdatedRows === 0n) return false
    await db
      // One that has begun meanwhile and is just ending is skipped: it finds that the job was cancelled.
      .with('begun', queries => inLockOrder(records.dialect, itemsIn(queries, id, 'running'), 'skips'))
      .updateTable('batch_items')
      .set({ state: 'cancelled', lease_until: null, ended_at: now })
      .where('job_id', '=', id)
      .where('place', 'in', query => query.selectFrom('begun').select('place'))
      .execute()
    return true
  })

/** See `BatchRecords.retryFailed`. */
export const retryFailed = (records: Records, owner: string, id: string, now: number): Promise<number> =>
  records.write(async db => {
    await lockItems(db, records.dialect, queries => itemsIn(queries, id, 'failed'))
    const job = await db
      .updateTable('batch_jobs')
      .set({
        state: 'running',
        idle_ms: sql<number>`idle_ms + case when ended_at < ${now} then cast(${now} as bigint) - ended_at else 0 end`,
        ended_at: null,
        webhook_state: 'none',
      })
      .where('owner', '=', owner)
      .where('id', '=', id)
      .where('state', 'in', ['completed', 'failed'])
      .where('failed', '>', 0)
      .returning('failed')
      .executeTakeFirst()
    if (!job) return 0
    await db
      .updateTable('batch_items')
      .set({
        state: 'queued',
        attempts: 0,
        failures: 0,
        cut_offs: 0,
        not_before: 0,
        started_at: null,
        ended_at: null,
        fault: null,
      })
      .where('job_id', '=', id)
      .where('state', '=', 'failed')
      .execute()
    await db.updateTable('batch_jobs').set({ queued: job.failed, failed: 0 }).where('id', '=', id).execute()
    return job.failed
  })

export const prioritiseJob = (
  records: Records,
  owner: string,
  id: string,
  priority: Priority,
): Promise<boolean> =>
  records.write(async db => {
    const job = await db
      .selectFrom('batch_jobs')
      .select(['created_at', 'scheduled_for'])
      .where('owner', '=', owner)
      .where('id', '=', id)
      .where('state', 'in', OPEN)
      .where('queued', '>', 0)
      .executeTakeFirst()
    if (!job) return false
    const times = { createdAt: job.created_at, scheduledFor: job.scheduled_for ?? 0 }
    await db
      .updateTable('batch_jobs')
      .set({ priority, rank: rankOf(times, priority) })
      .where('id', '=', id)
      .execute()
    return true
  })

/** Hides a job that has ended; `sweep` deletes its rows. */
export const removeJob = (records: Records, owner: string, id: string): Promise<boolean> =>
  records.write(async db => {
    const { numUpdatedRows } = await db
      .updateTable('batch_jobs')
      .set({ state: 'removed' })
      .where('owner', '=', owner)
      .where('id', '=', id)
      .where('state', 'in', ENDED)
      .executeTakeFirst()
    return numUpdatedRows > 0n
  })

export const removeEnded = (records: Records, before: number): Promise<number> =>
  records.write(async db => {
    const { numUpdatedRows } = await db
      .updateTable('batch_jobs')
      .set({ state: 'removed' })
      .where('state', 'in', ENDED)
      .where('ended_at', '<', before)
      .executeTakeFirst()
    return Number(numUpdatedRows)
  })

/** Items deleted by one statement: few, so that other transactions wait only briefly. */
const PORTION = 1_000

const removeItems = async (records: Records, jobId: string): Promise<void> => {
  for (let last = PORTION - 1; ; last += PORTION) {
    const left = await records.write(async db => {
      await lockItems(db, records.dialect, queries =>
        queries
          .selectFrom('batch_items')
          .select('place')
          .where('job_id', '=', jobId)
          .where('place', '<=', last),
      )
      await db.deleteFrom('batch_items').where('job_id', '=', jobId).where('place', '<=', last).execute()
      return await db.selectFrom('batch_items').select('place').where('job_id', '=', jobId).executeTakeFirst()
    })
    if (!left) return
  }
}

/** See `BatchRecords.sweep`. */
export const sweep = async (records: Records, before: number): Promise<number> => {
  const dead = await records.read(db =>
    db
      .selectFrom('batch_jobs')
      .select('id')
      .where(where =>
        where.or([
          where('state', '=', 'removed'),
          where.and([where('state', '=', 'submitting'), where('created_at', '<', before)]),
        ]),
      )
      .execute(),
  )
  for (const { id } of dead) {
    await removeItems(records, id)
    await records.write(db => db.deleteFrom('batch_jobs').where('id', '=', id).execute())
  }
  return dead.length
}

export const depthOf = (records: Records, now: number): Promise<Depth> =>
  records.read(async db => {
    const rows = await db
      .selectFrom('batch_jobs')
      .select(({ fn }) => [
        'priority',
        fn.sum<number>('queued').as('queued'),
        fn.sum<number>('running').as('running'),
        fn.sum<number>('failed').as('failed'),
      ])
      .where('state', 'in', JOB_STATES)
      .groupBy('priority')
      .execute()
    const oldest = await db
      .selectFrom('batch_jobs')
      .select(({ fn, eb }) =>
        fn
          .min(
            // A scheduled job's waiting time counts from the scheduled time.
            eb
              .case()
              .when('scheduled_for', '>', eb.ref('created_at'))
              .then(eb.ref('scheduled_for'))
              .else(eb.ref('created_at'))
              .end(),
          )
          .as('at'),
      )
      .where('state', 'in', OPEN)
      .where('queued', '>', 0)
      .where(where => where.or([where('scheduled_for', 'is', null), where('scheduled_for', '<=', now)]))
      .executeTakeFirst()
    const queued = Object.fromEntries(
      PRIORITIES.map(name => [name, Number(rows.find(({ priority }) => priority === name)?.queued ?? 0)]),
    ) as Depth['queued']
    const sum = (name: 'running' | 'failed') => rows.reduce((total, row) => total + Number(row[name]), 0)
    const oldestAt = oldest?.at ?? undefined
    return {
      queued,
      running: sum('running'),
      failed: sum('failed'),
      workers: await countWorkers(db, now),
      ...(oldestAt !== undefined && { oldestAt }),
    }
  })
