import { closeSync, existsSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { Kysely, SqliteAdapter, SqliteDialect } from 'kysely'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../../clock.ts'
import { makeDirectory } from '../directory.ts'
import { RecordsUnusable } from './fault.ts'
import { migrate } from './migrate.ts'
import { Records } from './records.ts'
import type { RecordsSchema } from './schema.ts'

/** Below it, a write-ahead log could be reset while another connection was still to read it. */
const LEAST_VERSION = [3, 51, 3] as const
/** SQLite's own wait for another process's write would hold everything up; `Records` waits instead. */
const BUSY_MS = 0
const START_BUSY_MS = 30_000
/** Statements that are kept ready; few, as those that insert many rows are large. */
const MOST_STATEMENTS = 64

/** SQLite can take changes of the schema back with the transaction they are in; Kysely's own adapter does not say so. */
class Adapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

class Dialect extends SqliteDialect {
  override createAdapter(): SqliteAdapter {
    return new Adapter()
  }
}

const statementOf = (database: DatabaseSync, sql: string) => {
  const statement = database.prepare(sql)
  const values = (parameters: readonly unknown[]) => parameters as SQLInputValue[]
  return {
    reader: statement.columns().length > 0,
    all: (parameters: readonly unknown[]) => statement.all(...values(parameters)),
    run: (parameters: readonly unknown[]) => statement.run(...values(parameters)),
    iterate: (parameters: readonly unknown[]) => statement.iterate(...values(parameters)),
  }
}

/**
 * What is to be run instead. Every transaction writes: one that only finds out later that it cannot would have to
 * be done again. One that the disk has failed was taken back by SQLite already.
 */
const adapted = (database: DatabaseSync, sql: string): string => {
  if (sql === 'begin') return 'begin immediate'
  return sql === 'rollback' && !database.isTransaction ? 'select 0 where false' : sql
}

const kyselyOver = (database: DatabaseSync): Kysely<RecordsSchema> => {
  const statements = new LRUCache<string, ReturnType<typeof statementOf>>({
    max: MOST_STATEMENTS,
    memoMethod: sql => statementOf(database, sql),
  })
  return new Kysely<RecordsSchema>({
    dialect: new Dialect({
      database: {
        close: () => database.close(),
        prepare: sql => statements.memo(adapted(database, sql)),
      },
    }),
  })
}

const isAtLeast = (version: string): boolean => {
  const parts = version.split('.').map(Number)
  for (const [place, least] of LEAST_VERSION.entries()) {
    const part = parts[place] ?? 0
    if (part !== least) return part > least
  }
  return true
}

/** @throws RecordsUnusable */
export const assertVersion = (version: string): void => {
  if (isAtLeast(version)) return
  throw new RecordsUnusable(
    `SQLite ${version} can damage it; Node brings ${LEAST_VERSION.join('.')} or later`,
  )
}

const checked = (database: DatabaseSync): void => {
  const row = database.prepare('select sqlite_version() as version').get() as { version: string }
  assertVersion(row.version)
  const found = database.prepare('pragma quick_check(1)').get() as { quick_check: string }
  if (found.quick_check !== 'ok')
    throw new RecordsUnusable(
      `it is damaged (${found.quick_check.split('\n').at(-1)}); put a copy of it from a backup in its place`,
    )
}

const opened = (path: string): DatabaseSync => {
  makeDirectory(dirname(path))
  // What people asked is in it: nobody else on the machine may read it.
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600))
  const database = new DatabaseSync(path, { timeout: START_BUSY_MS, enableForeignKeyConstraints: true })
  try {
    checked(database)
    database.exec('pragma journal_mode = wal')
    // What was written survives the process in any case; the machine's own end may take the last moment with it.
    database.exec('pragma synchronous = normal')
    database.exec('pragma temp_store = memory')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

const REMEDIES: Readonly<Record<number, string>> = {
  8: 'it is read-only; let the gateway write there',
  10: 'it cannot be read or written; look at the disk',
  11: 'it is damaged; put a copy of it from a backup in its place',
  13: 'the disk is full',
  14: 'it cannot be opened; let the gateway read and write there',
  26: 'it is no SQLite database; put a copy of it from a backup in its place, or move it away',
}

const UNUSABLE_DIRECTORY: ReadonlySet<string> = new Set(
  'EACCES EPERM EROFS ENOSPC EDQUOT ENOTDIR ENOENT EEXIST EISDIR ELOOP ENAMETOOLONG EINVAL EIO'.split(' '),
)

const unusable = (error: unknown): unknown => {
  const { errcode, code } = error as { errcode?: number; code?: string }
  const remedy = errcode !== undefined ? REMEDIES[errcode & 0xff] : undefined
  if (remedy) return new RecordsUnusable(remedy)
  return code !== undefined && UNUSABLE_DIRECTORY.has(code)
    ? new RecordsUnusable(
        `DATA_DIR cannot be used (${code}); set it to a directory that the gateway may write to`,
      )
    : error
}

/**
 * The records in a file, which is made where there is none. A file that cannot be used stays as it is.
 * @throws RecordsUnusable
 */
export const sqliteRecords = async (path: string, clock: Clock): Promise<Records> => {
  let database: DatabaseSync | undefined
  try {
    database = opened(path)
    const db = kyselyOver(database)
    await migrate(db, 'sqlite')
    database.exec(`pragma busy_timeout = ${BUSY_MS}`)
    return new Records(db, 'sqlite', clock)
  } catch (error) {
    if (database?.isOpen) database.close()
    throw unusable(error)
  }
}
