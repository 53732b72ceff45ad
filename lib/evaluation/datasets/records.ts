import { type Kysely, type Selectable, sql } from 'kysely'
import { turn } from '../../loop-turns.ts'
import { readCursor, rowsAfter } from '../../storage/records/pages.ts'
import type { Records } from '../../storage/records/records.ts'
import type { RecordsSchema } from '../../storage/records/schema.ts'
import type { EvaluationDatasetsTable } from '../../storage/records/tables/evaluation.ts'
import { type PageOptions, pageOf } from '../page.ts'
import type { Dataset, DatasetLimits, DatasetRow } from './types.ts'

const ID = /^dataset_[\da-f]{32}$/

const PORTION = 200
const PORTION_CHARACTERS = 1_000_000

const whole = Math.floor

const datasetOf = (row: Selectable<EvaluationDatasetsTable>): Dataset => ({
  id: row.id,
  owner: row.owner,
  name: row.name,
  rows: row.row_count,
  bytes: row.bytes,
  createdAt: row.created_at,
  ...(row.expires_at !== null && { expiresAt: row.expires_at }),
})

type Stored = Readonly<{ dataset_id: string; place: number; content: string }>

/** Rows in portions short enough not to delay other transactions. */
function* portions(rows: readonly Stored[]): Generator<readonly Stored[]> {
  let portion: Stored[] = []
  let characters = 0
  for (const row of rows) {
    portion.push(row)
    characters += row.content.length
    if (portion.length < PORTION && characters < PORTION_CHARACTERS) continue
    yield portion
    portion = []
    characters = 0
  }
  if (portion.length > 0) yield portion
}

const ready = (db: Kysely<RecordsSchema>, owner: string) =>
  db.selectFrom('evaluation_datasets').selectAll().where('owner', '=', owner).where('state', '=', 'ready')

/** Data sets in the records, SQLite's and Postgres' alike. Only the owner finds one. */
export class DatasetRecords {
  readonly #records: Records

  constructor(records: Records) {
    this.#records = records
  }

  /**
   * Stores a data set whole: it is invisible before. Returns false, and stores nothing, where the owner has no room.
   * @param contents JSON of its rows
   */
  async add(dataset: Dataset, contents: readonly string[], limits: DatasetLimits): Promise<boolean> {
    const { id, owner, name, createdAt, expiresAt } = dataset
    const row = { id, owner, name, state: 'new', row_count: dataset.rows, bytes: dataset.bytes }
    const hasRoom = await this.#records.write(async db => {
      const { count, bytes } = await db
        .selectFrom('evaluation_datasets')
        .select(({ fn }) => [
          fn.countAll<number>().as('count'),
          sql<number>`coalesce(cast(sum(bytes) as bigint), 0)`.as('bytes'),
        ])
        .where('owner', '=', owner)
        .executeTakeFirstOrThrow()
      if (Number(count) >= limits.datasets || Number(bytes) + dataset.bytes > limits.bytes) return false
      const times = {
        created_at: whole(createdAt),
        expires_at: expiresAt === undefined ? null : whole(expiresAt),
      }
      await db
        .insertInto('evaluation_datasets')
        .values({ ...row, ...times })
        .execute()
      return true
    })
    if (!hasRoom) return false
    const stored = contents.map((content, place) => ({ dataset_id: id, place, content }))
    for (const portion of portions(stored))
      await this.#records.writeTogether(db => [db.insertInto('evaluation_rows').values(portion)])
    await this.#records.write(db =>
      db.updateTable('evaluation_datasets').set({ state: 'ready' }).where('id', '=', id).execute(),
    )
    return true
  }

  find(owner: string, id: string): Promise<Dataset | undefined> {
    return this.#records.read(async db => {
      const row = await ready(db, owner).where('id', '=', id).executeTakeFirst()
      return row && datasetOf(row)
    })
  }

  /** Newest first. */
  list(owner: string, { limit, cursor }: PageOptions) {
    return this.#records.read(async db => {
      const position = cursor === undefined ? undefined : readCursor(cursor, ID)
      const rows = await ready(db, owner)
        .where(where => rowsAfter(where, ['created_at', 'id'], 'desc', position))
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .limit(limit + 1)
        .execute()
      return pageOf(rows.map(datasetOf), limit)
    })
  }

  /** The rows of a data set in their order, a portion at a time. */
  async *rows(id: string): AsyncGenerator<DatasetRow> {
    for (let from = 0; ; from += PORTION) {
      const found = await this.#records.read(db =>
        db
          .selectFrom('evaluation_rows')
          .select('content')
          .where('dataset_id', '=', id)
          .where('place', '>=', from)
          .where('place', '<', from + PORTION)
          .orderBy('place')
          .execute(),
      )
      for (const { content } of found) {
        await turn()
        yield JSON.parse(content) as DatasetRow
      }
      if (found.length < PORTION) return
    }
  }

  /** False where the owner has no such data set. */
  async remove(owner: string, id: string): Promise<boolean> {
    const results = await this.#records.writeTogether(db => [
      {
        query: db.deleteFrom('evaluation_datasets').where('owner', '=', owner).where('id', '=', id).compile(),
        mustMatch: true,
      },
      db.deleteFrom('evaluation_rows').where('dataset_id', '=', id),
    ])
    return results !== undefined
  }

  /** Removes expired data sets, and those whose upload began before a clock time and never finished. */
  async sweep(now: number, startedBefore: number): Promise<void> {
    const dead = await this.#records.read(db =>
      db
        .selectFrom('evaluation_datasets')
        .select(['owner', 'id'])
        .where(where =>
          where.or([
            where('expires_at', '<=', whole(now)),
            where.and([where('state', '=', 'new'), where('created_at', '<', whole(startedBefore))]),
          ]),
        )
        .execute(),
    )
    for (const { owner, id } of dead) await this.remove(owner, id)
  }
}
