import { type Kysely, sql, type Transaction } from 'kysely'
import { GatewayError } from '../../errors.ts'
import { rowsAfter } from '../../storage/records/pages.ts'
import type { Records } from '../../storage/records/records.ts'
import type { RecordsSchema } from '../../storage/records/schema.ts'
import { JOB_STATES } from '../types.ts'
import { batchOf, batchRowOf } from './batch-rows.ts'
import { addFile } from './file-records.ts'
import type { BatchApi, LineFault, Listed, NewV1Batch, V1Batch, V1Results, Validation } from './types.ts'

const whole = Math.floor
const OPEN_JOB = ['queued', 'running'] as const
const ENDED_JOB = ['completed', 'failed', 'cancelled'] as const

const selectBatches = (db: Kysely<RecordsSchema>) =>
  db
    .selectFrom('v1_batches as batch')
    .leftJoin('batch_jobs as job', join =>
      join.onRef('job.id', '=', 'batch.job_id').on('job.state', 'in', JOB_STATES),
    )
    .selectAll('batch')
    .select([
      'job.id as live_job_id',
      'job.state as job_state',
      'job.ended_at as job_ended_at',
      'job.total',
      'job.queued',
      'job.running',
      'job.succeeded',
      'job.failed',
      'job.cancelled',
    ])

/** Another process validates the batch, or it was cancelled. */
export class ValidationLost extends Error {}

export type BatchQuery = Readonly<{
  limit: number
  /** The id of the batch that the page ends before, or begins after: newest first. */
  after?: string | undefined
  before?: string | undefined
}>

const noSuchCursor = (path: string): GatewayError => {
  const message = 'is not the id of a batch'
  return new GatewayError('INVALID_INPUT', `${path}: ${message}.`, { details: [{ path, message }] })
}

/** Batches of `/v1` in the records, SQLite's and Postgres' alike. Only the owner finds one. */
export class V1BatchRecords {
  readonly #records: Records

  constructor(records: Records) {
    this.#records = records
  }

  /** Adds a batch whose file is to be validated. */
  async add(batch: NewV1Batch): Promise<void> {
    await this.#records.write(db =>
      db
        .insertInto('v1_batches')
        .values({ ...batchRowOf(batch), state: 'validating' })
        .execute(),
    )
  }

  /** Adds a batch together with its job. */
  addWithJob(batch: NewV1Batch, jobId: string) {
    return (db: Transaction<RecordsSchema>): Promise<unknown> =>
      db
        .insertInto('v1_batches')
        .values({ ...batchRowOf(batch), state: 'running', job_id: jobId, begun_at: whole(batch.createdAt) })
        .execute()
  }

  find(owner: string, api: BatchApi, id: string): Promise<V1Batch | undefined> {
    return this.#records.read(async db => {
      const row = await selectBatches(db)
        .where('batch.owner', '=', owner)
        .where('batch.api', '=', api)
        .where('batch.id', '=', id)
        .executeTakeFirst()
      return row && batchOf(row)
    })
  }

  /** Newest first. @throws GatewayError INVALID_INPUT where a cursor is no batch of the owner */
  list(owner: string, api: BatchApi, { limit, after, before }: BatchQuery): Promise<Listed<V1Batch>> {
    return this.#records.read(async db => {
      let query = selectBatches(db).where('batch.owner', '=', owner).where('batch.api', '=', api)
      const cursor = after ?? before
      const order = after === undefined && before !== undefined ? 'asc' : 'desc'
      if (cursor !== undefined) {
        const last = await query.where('batch.id', '=', cursor).executeTakeFirst()
        if (!last) throw noSuchCursor(after === undefined ? 'before_id' : 'after')
        query = query.where(where =>
          rowsAfter(where, ['batch.created_at', 'batch.id'], order, { at: last.created_at, id: last.id }),
        )
      }
      const rows = await query
        .orderBy('batch.created_at', order)
        .orderBy('batch.id', order)
        .limit(limit + 1)
        .execute()
      const entries = rows.slice(0, limit).map(batchOf)
      return { entries: order === 'asc' ? entries.toReversed() : entries, hasMore: rows.length > limit }
    })
  }

  /** The oldest batch that none validates, leased to the caller; those in `except` are skipped. */
  claimValidation(
    now: number,
    leaseUntil: number,
    except: readonly string[],
  ): Promise<Validation | undefined> {
    return this.#records.write(async db => {
      let due = db
        .selectFrom('v1_batches')
        .select('id')
        .where('state', '=', 'validating')
        .where('lease_until', '<=', whole(now))
        .orderBy('created_at')
        .limit(1)
      if (except.length > 0) due = due.where('id', 'not in', except)
      const locked = this.#records.dialect === 'postgres' ? due.forUpdate().skipLocked() : due
      const found = await locked.executeTakeFirst()
      if (!found) return undefined
      const { fence } = await db
        .updateTable('v1_batches')
        .set({ fence: sql<number>`fence + 1`, lease_until: whole(leaseUntil) })
        .where('id', '=', found.id)
        .returning('fence')
        .executeTakeFirstOrThrow()
      const row = await selectBatches(db).where('batch.id', '=', found.id).executeTakeFirstOrThrow()
      return { batch: batchOf(row), fence }
    })
  }

  /** Prolongs a validation, or ends its lease. False where it is lost, or the batch was cancelled. */
  renewValidation({ batch, fence }: Validation, leaseUntil: number): Promise<boolean> {
    return this.#records.write(db =>
      this.#ofValidation(db, batch.id, fence, { lease_until: whole(leaseUntil) }),
    )
  }

  /** Writes, with the job of a batch, that it runs. Rejects where the validation is lost or the batch was cancelled. */
  begin({ batch, fence }: Validation, jobId: string, now: number) {
    return async (db: Transaction<RecordsSchema>): Promise<void> => {
      const set = { state: 'running', job_id: jobId, begun_at: whole(now) }
      if (!(await this.#ofValidation(db, batch.id, fence, set))) throw new ValidationLost()
    }
  }

  /** Ends a batch whose file has faults. */
  refuse({ batch, fence }: Validation, errors: readonly LineFault[], now: number): Promise<boolean> {
    const set = { state: 'invalid', ended_at: whole(now), errors: JSON.stringify(errors) }
    return this.#records.write(db => this.#ofValidation(db, batch.id, fence, set))
  }

  /** Marks a batch as cancelled, or as expired; one that is still validated ends at once. */
  async stop(id: string, why: 'cancelled_at' | 'expired_at', now: number): Promise<void> {
    const at = whole(now)
    await this.#records.writeTogether(db => [
      db
        .updateTable('v1_batches')
        .set({ [why]: at, state: 'ended', ended_at: at })
        .where('id', '=', id)
        .where('state', '=', 'validating'),
      db
        .updateTable('v1_batches')
        .set({ [why]: at })
        .where('id', '=', id)
        .where('state', '=', 'running')
        .where('cancelled_at', 'is', null)
        .where('expired_at', 'is', null),
    ])
  }

  /** The batches whose job has ended, or was removed, and whose results are still to be counted. */
  toFinish(): Promise<readonly V1Batch[]> {
    return this.#records.read(async db => {
      const rows = await selectBatches(db)
        .where('batch.state', '=', 'running')
        .where(where => where.or([where('job.state', 'in', ENDED_JOB), where('job.id', 'is', null)]))
        .execute()
      return rows.map(batchOf)
    })
  }

  /** The batches that should have ended by now. */
  toExpire(now: number): Promise<readonly V1Batch[]> {
    return this.#records.read(async db => {
      const rows = await selectBatches(db)
        .where('batch.expires_at', '<=', whole(now))
        .where(where =>
          where.or([
            where('batch.state', '=', 'validating'),
            where.and([where('batch.state', '=', 'running'), where('job.state', 'in', OPEN_JOB)]),
          ]),
        )
        .execute()
      return rows.map(batchOf)
    })
  }

  /** Writes the results of a batch, once. */
  async finish(id: string, { output, errors, usage, endedAt }: V1Results): Promise<void> {
    await this.#records.write(async db => {
      const { numUpdatedRows } = await db
        .updateTable('v1_batches')
        .set({
          state: 'ended',
          ended_at: whole(endedAt),
          output_file_id: output?.id ?? null,
          error_file_id: errors?.id ?? null,
          usage: JSON.stringify(usage),
        })
        .where('id', '=', id)
        .where('state', '=', 'running')
        .executeTakeFirst()
      if (numUpdatedRows === 0n) return
      for (const file of [output, errors]) if (file) await addFile(db, file)
    })
  }

  async remove(id: string): Promise<void> {
    await this.#records.write(db => db.deleteFrom('v1_batches').where('id', '=', id).execute())
  }

  /** Removes batches that ended before a clock time. */
  async removeEnded(before: number): Promise<void> {
    await this.#records.write(db =>
      db.deleteFrom('v1_batches').where('ended_at', '<', whole(before)).execute(),
    )
  }

  async #ofValidation(
    db: Transaction<RecordsSchema>,
    id: string,
    fence: number,
    set: Readonly<Record<string, string | number>>,
  ): Promise<boolean> {
    const { numUpdatedRows } = await db
      .updateTable('v1_batches')
      .set(set)
      .where('id', '=', id)
      .where('state', '=', 'validating')
      .where('fence', '=', fence)
      .executeTakeFirst()
    return numUpdatedRows > 0n
  }
}
