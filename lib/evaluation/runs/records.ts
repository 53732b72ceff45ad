import { type Kysely, sql, type Transaction } from 'kysely'
import type { BatchRecords, Item, JobState } from '../../batch/types.ts'
import { JOB_STATES } from '../../batch/types.ts'
import { turn } from '../../loop-turns.ts'
import { usdOf } from '../../money.ts'
import { readCursor, rowsAfter } from '../../storage/records/pages.ts'
import type { Records } from '../../storage/records/records.ts'
import type { RecordsSchema } from '../../storage/records/schema.ts'
import { type PageOptions, pageOf } from '../page.ts'
import type { NewRun, Plan, Run, RunAnswer, RunGrading, RunItem } from './types.ts'

const ID = /^eval_[\da-f]{32}$/

/** Items read at once, of which each may be as long as an answer. */
const PAGE = 100

/** The id of the item of a row for a variant: unique in its job. */
export const itemIdOf = (variant: number, rowId: string): string => `${variant}:${rowId}`

const selectRuns = (db: Kysely<RecordsSchema>, owner: string) =>
  db
    .selectFrom('evaluations as run')
    .innerJoin('batch_jobs as job', join =>
      join.onRef('job.id', '=', 'run.job_id').on('job.state', 'in', JOB_STATES),
    )
    .selectAll('run')
    .select([
      'job.state',
      'job.total',
      'job.queued',
      'job.running',
      'job.succeeded',
      'job.failed',
      'job.cancelled',
      'job.unpriced',
      'job.started_at',
      'job.ended_at',
      sql<string>`cast(job.cost_pico as text)`.as('cost_pico'),
    ])
    .where('run.owner', '=', owner)

type Row = Awaited<ReturnType<ReturnType<typeof selectRuns>['execute']>>[number]

const runOf = (row: Row): Run => ({
  id: row.id,
  owner: row.owner,
  name: row.name,
  dataset: { id: row.dataset_id, name: row.dataset_name, rows: row.row_count },
  jobId: row.job_id,
  plan: JSON.parse(row.plan) as Plan,
  createdAt: row.created_at,
  state: row.state as JobState,
  counts: {
    total: row.total,
    queued: row.queued,
    running: row.running,
    succeeded: row.succeeded,
    failed: row.failed,
    cancelled: row.cancelled,
  },
  costUsd: usdOf(BigInt(row.cost_pico)),
  unpriced: row.unpriced,
  ...(row.started_at !== null && { startedAt: row.started_at }),
  ...(row.ended_at !== null && { endedAt: row.ended_at }),
})

type Stored = Readonly<{ answer?: RunAnswer; grading?: RunGrading }>

const storedOf = (row: Readonly<{ answer: string; grading: string | null }> | undefined): Stored =>
  row
    ? { answer: JSON.parse(row.answer), ...(row.grading !== null && { grading: JSON.parse(row.grading) }) }
    : {}

const itemOf = (item: Item, variants: number, stored: Stored): RunItem => ({
  row: Math.floor(item.index / variants),
  variant: item.index % variants,
  rowId: item.id.slice(item.id.indexOf(':') + 1),
  state: item.state,
  ...stored,
  ...(item.state === 'failed' &&
    item.fault && { error: { code: item.fault.code, message: item.fault.message } }),
})

/** Runs of evaluations in the records, SQLite's and Postgres' alike. Only the owner finds one. */
export class RunRecords {
  readonly #records: Records
  readonly #jobs: Pick<BatchRecords, 'items'>

  constructor(records: Records, jobs: Pick<BatchRecords, 'items'>) {
    this.#records = records
    this.#jobs = jobs
  }

  /** Adds a run in the transaction that makes its job visible. */
  adding({ id, owner, name, dataset, jobId, plan, createdAt }: NewRun) {
    return (db: Transaction<RecordsSchema>): Promise<unknown> =>
      db
        .insertInto('evaluations')
        .values({
          id,
          owner,
          name,
          dataset_id: dataset.id,
          dataset_name: dataset.name,
          row_count: dataset.rows,
          job_id: jobId,
          plan: JSON.stringify(plan),
          created_at: createdAt,
        })
        .execute()
  }

  find(owner: string, id: string): Promise<Run | undefined> {
    return this.#records.read(async db => {
      const row = await selectRuns(db, owner).where('run.id', '=', id).executeTakeFirst()
      return row && runOf(row)
    })
  }

  /** Newest first. */
  list(owner: string, { limit, cursor }: PageOptions) {
    return this.#records.read(async db => {
      const position = cursor === undefined ? undefined : readCursor(cursor, ID)
      const rows = await selectRuns(db, owner)
        .where(where => rowsAfter(where, ['run.created_at', 'run.id'], 'desc', position))
        .orderBy('run.created_at', 'desc')
        .orderBy('run.id', 'desc')
        .limit(limit + 1)
        .execute()
      return pageOf(rows.map(runOf), limit)
    })
  }

  /** What a run does; undefined where it was removed. */
  planOf(id: string): Promise<Plan | undefined> {
    return this.#records.read(async db => {
      const row = await db.selectFrom('evaluations').select('plan').where('id', '=', id).executeTakeFirst()
      return row && (JSON.parse(row.plan) as Plan)
    })
  }

  /** What is stored of an item. */
  stored(id: string, index: number): Promise<Stored> {
    return this.#records.read(async db =>
      storedOf(
        await db
          .selectFrom('evaluation_answers')
          .select(['answer', 'grading'])
          .where('evaluation_id', '=', id)
          .where('place', '=', index)
          .executeTakeFirst(),
      ),
    )
  }

  /** Stores an answer; the first one of an item stays. */
  async putAnswer(id: string, index: number, answer: RunAnswer): Promise<void> {
    const row = { evaluation_id: id, place: index, answer: JSON.stringify(answer), grading: null }
    await this.#records.writeTogether(db => [
      db
        .insertInto('evaluation_answers')
        .values(row)
        .onConflict(conflict => conflict.columns(['evaluation_id', 'place']).doNothing()),
    ])
  }

  /** Stores the grades of an answer; the first ones stay. */
  async putGrading(id: string, index: number, grading: RunGrading): Promise<void> {
    await this.#records.writeTogether(db => [
      db
        .updateTable('evaluation_answers')
        .set({ grading: JSON.stringify(grading) })
        .where('evaluation_id', '=', id)
        .where('place', '=', index)
        .where('grading', 'is', null),
    ])
  }

  /** All items of a run in their order. */
  async *items({ id, jobId, plan }: Run): AsyncGenerator<RunItem> {
    let cursor: string | undefined
    do {
      const page = await this.#jobs.items(jobId, { limit: PAGE, ...(cursor && { cursor }) })
      const stored = await this.#storedOf(id, page.entries)
      for (const item of page.entries) {
        await turn()
        yield itemOf(item, plan.variants.length, storedOf(stored.get(item.index)))
      }
      cursor = page.cursor
    } while (cursor !== undefined)
  }

  async #storedOf(id: string, items: readonly Item[]) {
    const rows = await this.#records.read(db =>
      db
        .selectFrom('evaluation_answers')
        .select(['place', 'answer', 'grading'])
        .where('evaluation_id', '=', id)
        .where('place', '>=', items[0]?.index ?? 0)
        .where('place', '<=', items.at(-1)?.index ?? 0)
        .execute(),
    )
    return new Map(rows.map(row => [row.place, row]))
  }

  /** Removes the runs whose job was removed, with their answers. */
  async sweep(): Promise<void> {
    const dead = await this.#records.read(db =>
      db
        .selectFrom('evaluations')
        .leftJoin('batch_jobs as job', join =>
          join.onRef('job.id', '=', 'job_id').on('job.state', 'in', JOB_STATES),
        )
        .select('evaluations.id')
        .where('job.id', 'is', null)
        .execute(),
    )
    for (const { id } of dead)
      await this.#records.writeTogether(db => [
        db.deleteFrom('evaluation_answers').where('evaluation_id', '=', id),
        db.deleteFrom('evaluations').where('id', '=', id),
      ])
  }
}
