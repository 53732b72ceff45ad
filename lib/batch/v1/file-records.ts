import { type Kysely, type Selectable, sql, type Transaction } from 'kysely'
import { GatewayError } from '../../errors.ts'
import { rowsAfter } from '../../storage/records/pages.ts'
import type { Records } from '../../storage/records/records.ts'
import type { RecordsSchema } from '../../storage/records/schema.ts'
import type { FilesTable } from '../../storage/records/tables/openai-state.ts'
import type { FileQuery, Listed, Purpose, StoredFile } from './types.ts'

const fileOf = (row: Selectable<FilesTable>): StoredFile => ({
  id: row.id,
  owner: row.owner,
  name: row.name,
  purpose: row.purpose as Purpose,
  bytes: row.bytes,
  createdAt: row.created_at,
  ...(row.expires_at !== null && { expiresAt: row.expires_at }),
  ...(row.batch_id !== null && { batchId: row.batch_id }),
})

const rowOf = (file: StoredFile) => ({
  id: file.id,
  owner: file.owner,
  name: file.name,
  purpose: file.purpose,
  bytes: file.bytes,
  created_at: Math.floor(file.createdAt),
  expires_at: file.expiresAt === undefined ? null : Math.floor(file.expiresAt),
  batch_id: file.batchId ?? null,
})

/** Adds a file once: nothing changes where there is one of that id. */
export const addFile = (db: Transaction<RecordsSchema>, file: StoredFile): Promise<unknown> =>
  db
    .insertInto('files')
    .values(rowOf(file))
    .onConflict(conflict => conflict.column('id').doNothing())
    .execute()

const selectFiles = (db: Kysely<RecordsSchema>, owner: string, now: number) =>
  db
    .selectFrom('files')
    .selectAll()
    .where('owner', '=', owner)
    .where(where => where.or([where('expires_at', 'is', null), where('expires_at', '>', now)]))

const bytesOf = async (db: Kysely<RecordsSchema>, owner: string): Promise<number> => {
  const { bytes } = await db
    .selectFrom('files')
    .select(({ fn }) => fn.sum<number | string | null>('bytes').as('bytes'))
    .where('owner', '=', owner)
    .where('batch_id', 'is', null)
    .executeTakeFirstOrThrow()
  return Number(bytes ?? 0)
}

const noSuchCursor = (): GatewayError =>
  new GatewayError('INVALID_INPUT', 'after: is not the id of a file.', {
    details: [{ path: 'after', message: 'is not the id of a file' }],
  })

/** The metadata of files in the records, SQLite's and Postgres' alike. Only the owner finds a file. */
export class FileRecords {
  readonly #records: Records

  constructor(records: Records) {
    this.#records = records
  }

  /**
   * Adds a file on disk, unless its owner's files would be larger than `maxBytes` together.
   * @returns whether it was added
   */
  add(file: StoredFile, maxBytes: number): Promise<boolean> {
    return this.#records.write(async db => {
      // Two uploads of one owner must not both take the last of the space.
      if (this.#records.dialect === 'postgres')
        await sql`select pg_advisory_xact_lock(hashtext(${file.owner}))`.execute(db)
      if ((await bytesOf(db, file.owner)) + file.bytes > maxBytes) return false
      await addFile(db, file)
      return true
    })
  }

  /** The size of an owner's files on disk together. */
  bytesOf(owner: string): Promise<number> {
    return this.#records.read(db => bytesOf(db, owner))
  }

  find(owner: string, id: string, now: number): Promise<StoredFile | undefined> {
    return this.#records.read(async db => {
      const row = await selectFiles(db, owner, Math.floor(now)).where('id', '=', id).executeTakeFirst()
      return row && fileOf(row)
    })
  }

  /** @throws GatewayError INVALID_INPUT where `after` is no file of the owner */
  list(owner: string, query: FileQuery, now: number): Promise<Listed<StoredFile>> {
    const { limit, order, after, purpose } = query
    return this.#records.read(async db => {
      let files = selectFiles(db, owner, Math.floor(now))
      if (purpose !== undefined) files = files.where('purpose', '=', purpose)
      if (after !== undefined) {
        const last = await selectFiles(db, owner, 0).where('id', '=', after).executeTakeFirst()
        if (!last) throw noSuchCursor()
        files = files.where(where =>
          rowsAfter(where, ['created_at', 'id'], order, { at: last.created_at, id: last.id }),
        )
      }
      const rows = await files
        .orderBy('created_at', order)
        .orderBy('id', order)
        .limit(limit + 1)
        .execute()
      return { entries: rows.slice(0, limit).map(fileOf), hasMore: rows.length > limit }
    })
  }

  /** False where there is none. */
  remove(owner: string, id: string): Promise<boolean> {
    return this.#records.write(async db => {
      const { numDeletedRows } = await db
        .deleteFrom('files')
        .where('owner', '=', owner)
        .where('id', '=', id)
        .executeTakeFirst()
      return numDeletedRows > 0n
    })
  }

  /** Removes expired files; returns the ids of those that are on disk. */
  removeExpired(now: number): Promise<readonly string[]> {
    return this.#records.write(async db => {
      const rows = await db
        .deleteFrom('files')
        .where('expires_at', '<=', Math.floor(now))
        .returning(['id', 'batch_id'])
        .execute()
      return rows.filter(row => row.batch_id === null).map(({ id }) => id)
    })
  }

  /** The ids that no file has. */
  unknown(ids: readonly string[]): Promise<readonly string[]> {
    if (ids.length === 0) return Promise.resolve([])
    return this.#records.read(async db => {
      const rows = await db.selectFrom('files').select('id').where('id', 'in', ids).execute()
      const known = new Set(rows.map(({ id }) => id))
      return ids.filter(id => !known.has(id))
    })
  }
}
