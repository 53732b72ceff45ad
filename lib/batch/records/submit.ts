import type { Insertable } from 'kysely'
import { GatewayError } from '../../errors.ts'
import { turn } from '../../loop-turns.ts'
import type { Records } from '../../storage/records/records.ts'
import type { BatchItemsTable } from '../../storage/records/tables/batch.ts'
import type { Job, NewItem, NewJob } from '../types.ts'
import type { Alongside } from './alongside.ts'
import { rankOf } from './rows.ts'

const MOST_ROWS = 200
const MOST_CHARACTERS = 1_000_000

type Row = Insertable<BatchItemsTable>

const NEW = { attempts: 0, failures: 0, fence: 0, not_before: 0 }

const rowOf = (jobId: string, place: number, { id, request, instructed, source }: NewItem): Row => ({
  ...NEW,
  job_id: jobId,
  place,
  item_id: id,
  state: 'queued',
  request: JSON.stringify(request),
  instructed: instructed ? 1 : 0,
  file: source?.file ?? null,
  line: source?.line ?? null,
})

/** Rows in portions that one statement can take, short enough not to delay other transactions. */
async function* portions(
  jobId: string,
  items: AsyncIterable<NewItem> | Iterable<NewItem>,
): AsyncGenerator<readonly Row[]> {
  let rows: Row[] = []
  let characters = 0
  let place = 0
  for await (const item of items) {
    await turn()
    const row = rowOf(jobId, place, item)
    rows.push(row)
    characters += row.request.length
    place += 1
    if (rows.length < MOST_ROWS && characters < MOST_CHARACTERS) continue
    yield rows
    rows = []
    characters = 0
  }
  if (rows.length > 0) yield rows
}

/** Writes a job that is not visible yet. Returns how many items it has. */
const writeUnseen = async (
  records: Records,
  job: NewJob,
  items: AsyncIterable<NewItem> | Iterable<NewItem>,
): Promise<number> => {
  const counters = { total: 0, queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0, unpriced: 0 }
  const row = {
    ...counters,
    id: job.id,
    owner: job.owner,
    name: job.name,
    priority: job.priority,
    state: 'submitting',
    rank: rankOf(job, job.priority),
    created_at: job.createdAt,
    scheduled_for: job.scheduledFor ?? null,
    cost_pico: 0,
    webhook_url: job.webhookUrl ?? null,
    webhook_attempts: 0,
    instruction: job.instruction === undefined ? null : JSON.stringify(job.instruction),
    warnings: job.warnings === undefined ? null : JSON.stringify(job.warnings),
    is_v1: job.isV1 ? 1 : 0,
    key_id: job.keyId ?? null,
  }
  await records.write(db => db.insertInto('batch_jobs').values(row).execute())
  let total = 0
  for await (const rows of portions(job.id, items)) {
    await records.writeTogether(db => [db.insertInto('batch_items').values(rows)])
    total += rows.length
  }
  if (total === 0) throw new GatewayError('INVALID_INPUT', 'items: must not be empty')
  return total
}

/** See `BatchRecords.submit`. */
export const submit = async (
  records: Records,
  job: NewJob,
  items: AsyncIterable<NewItem> | Iterable<NewItem>,
  alongside?: Alongside,
): Promise<Job> => {
  const { instruction: _, isV1: __, keyId: ___, ...shown } = job
  try {
    const total = await writeUnseen(records, job, items)
    await records.write(async db => {
      const { numUpdatedRows } = await db
        .updateTable('batch_jobs')
        .set({ state: 'queued', total, queued: total })
        .where('id', '=', job.id)
        .where('state', '=', 'submitting')
        .executeTakeFirst()
      if (numUpdatedRows !== 1n) throw new Error('the submission took too long and was removed')
      await alongside?.(db)
    })
    const counts = { total, queued: total, running: 0, succeeded: 0, failed: 0, cancelled: 0 }
    return { ...shown, state: 'queued', counts, costUsd: 0, unpriced: 0 }
  } catch (error) {
    // If this write fails too, `sweep` does it later. A failing database is not waited for a second time.
    const withdrawn = records
      .write(db =>
        db
          .updateTable('batch_jobs')
          .set({ state: 'removed' })
          .where('id', '=', job.id)
          .where('state', '=', 'submitting')
          .execute(),
      )
      .catch(() => {})
    if (!(error instanceof GatewayError) || error.code !== 'STORE_UNAVAILABLE') await withdrawn
    throw error
  }
}
