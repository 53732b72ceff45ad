import { closeSync, existsSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { makeDirectory } from '../../directory.ts'
import { RecordsUnusable } from '../fault.ts'

/** Earlier versions could reset a write-ahead log that another connection had not read yet. */
const LEAST_VERSION = [3, 51, 3] as const
/** How long a start waits for another process that writes. Later on, `Records` waits instead. */
const START_BUSY_MS = 30_000
const REOPEN_BUSY_MS = 1_000

const isAtLeast = (version: string): boolean => {
  const parts = version.split('.').map(Number)
  for (const [location, least] of LEAST_VERSION.entries()) {
    const part = parts[location] ?? 0
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

const assertSound = (database: DatabaseSync): void => {
  const row = database.prepare('select sqlite_version() as version').get() as { version: string }
  assertVersion(row.version)
  const found = database.prepare('pragma quick_check(1)').get() as { quick_check: string }
  if (found.quick_check !== 'ok')
    throw new RecordsUnusable(
      `it is damaged (${found.quick_check.split('\n').at(-1)}); put a copy of it from a backup in its place`,
    )
}

/** Opens a connection and sets it up; closes it again where that fails. */
const connected = (path: string, busyMs: number, setUp: (database: DatabaseSync) => void): DatabaseSync => {
  const database = new DatabaseSync(path, { timeout: busyMs, enableForeignKeyConstraints: true })
  try {
    setUp(database)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

const HINTS: Readonly<Record<number, string>> = {
  8: 'it is read-only; let the gateway write there',
  10: 'it cannot be read or written; look at the disk',
  11: 'it is damaged; put a copy of it from a backup in its place',
  13: 'the disk is full',
  14: 'it cannot be opened; let the gateway read and write there',
  26: 'it is not an SQLite database; put a copy of it from a backup in its place, or move it away',
}

const UNUSABLE_DIRECTORY: ReadonlySet<string> = new Set(
  'EACCES EPERM EROFS ENOSPC EDQUOT ENOTDIR ENOENT EEXIST EISDIR ELOOP ENAMETOOLONG EINVAL EIO'.split(' '),
)

/** Explains a failure to open the file to the operator. Unknown errors stay unchanged. */
const unusable = (error: unknown): unknown => {
  const { errcode, code } = error as { errcode?: number; code?: string }
  const hint = errcode !== undefined ? HINTS[errcode & 0xff] : undefined
  if (hint) return new RecordsUnusable(hint)
  return code !== undefined && UNUSABLE_DIRECTORY.has(code)
    ? new RecordsUnusable(
        `DATA_DIR cannot be written (${code}); set it to a directory that the gateway may write to`,
      )
    : error
}

/** The connections to one file: one for writes, and one that reads committed data meanwhile. */
export type SqliteFile = Readonly<Record<'read' | 'write', DatabaseSync>> &
  Readonly<{
    /**
     * SQLite continues with a file that was moved or deleted, and all writes to it would be lost with the process.
     * @throws Error with code ENOENT
     */
    assertAtPath: () => void
  }>

const pathGuard = (path: string): (() => void) => {
  const opened = statSync(path, { bigint: true })
  return () => {
    const found = statSync(path, { bigint: true, throwIfNoEntry: false })
    if (found?.ino === opened.ino && found.dev === opened.dev) return
    const message = `${path} was removed or replaced while it was in use; put it back, or restart the gateway`
    throw Object.assign(new Error(message), { code: 'ENOENT' })
  }
}

const both = (path: string, busyMs: number, check: (database: DatabaseSync) => void): SqliteFile => {
  const write = connected(path, busyMs, database => {
    check(database)
    database.exec('pragma journal_mode = wal')
    // Commits survive a crash of the process; a crash of the machine may lose the latest ones.
    database.exec('pragma synchronous = normal')
    database.exec('pragma temp_store = memory')
  })
  try {
    const read = connected(path, busyMs, database => {
      database.exec('pragma temp_store = memory')
      database.exec('pragma query_only = on')
    })
    return { read, write, assertAtPath: pathGuard(path) }
  } catch (error) {
    write.close()
    throw error
  }
}

/**
 * Opens a file, which is created if missing. A file that cannot be used stays as it is.
 * @throws RecordsUnusable
 */
export const openFile = (path: string): SqliteFile => {
  try {
    makeDirectory(dirname(path))
    // It contains prompts and answers: other users of the machine may not read it.
    if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600))
    return both(path, START_BUSY_MS, assertSound)
  } catch (error) {
    throw unusable(error)
  }
}

/**
 * Opens a file that this process had open before. It is not created again: an empty one would hide the loss.
 * @throws the error of SQLite or the file system
 */
export const reopenFile = (path: string): SqliteFile => {
  closeSync(openSync(path, 'r+'))
  return both(path, REOPEN_BUSY_MS, () => {})
}
