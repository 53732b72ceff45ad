import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { type Clock, sleep } from '../../clock.ts'
import { RecordsUnusable, recordsError } from './fault.ts'
import { migrate } from './migrate.ts'
import { Records } from './records.ts'
import type { RecordsSchema } from './schema.ts'

const MOST_CONNECTIONS = 10
/** How long one waits for a connection, a new one or one that is in use. */
const CONNECT_MS = 500
const QUERY_MS = 15_000
const IDLE_MS = 30_000
/** How long a start waits for a database that is not there yet. */
const START_MS = 30_000
const START_PAUSE_MS = 500
const NEVER = new AbortController().signal

/** Whole numbers as numbers; beyond 2^53 they are read as text, by a cast. */
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format as 'text'),
} as pg.CustomTypesConfig

/**
 * Nothing is kept in a session (no prepared statements, no settings, no listening), so that a pooler may hand every
 * transaction to another connection.
 */
const poolOf = (url: string): pg.Pool => {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: 'parley',
    max: MOST_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: QUERY_MS,
    idleTimeoutMillis: IDLE_MS,
    keepAlive: true,
    types,
  })
  // A connection that breaks while nobody uses it is replaced; unheard, its error would end the process.
  pool.on('error', () => {})
  pool.on('connect', client => client.on('error', () => {}))
  return pool
}

/** Refused for a reason that does not pass by itself: access, a database that is not there, a wrong address. */
const REFUSED = /^(28|3D|42501)/

const isUnusable = (error: unknown): boolean => REFUSED.test(String((error as { code?: unknown }).code ?? ''))

/**
 * The records in Postgres. One that is starting is waited for.
 * @throws RecordsUnusable where it refuses us, is not there after half a minute, or belongs to a newer gateway.
 */
export const postgresRecords = async (url: string, clock: Clock): Promise<Records> => {
  const db = new Kysely<RecordsSchema>({ dialect: new PostgresDialect({ pool: poolOf(url) }) })
  for (const giveUpAt = clock.now() + START_MS; ; ) {
    try {
      await migrate(db, 'postgres')
      return new Records(db, 'postgres', clock)
    } catch (error) {
      const passes = !isUnusable(error) && recordsError(error) !== error
      if (passes && clock.now() < giveUpAt) {
        await sleep(clock, START_PAUSE_MS, NEVER)
        continue
      }
      await db.destroy()
      if (error instanceof RecordsUnusable) throw error
      // The driver's own message names host, user and database, and no password.
      throw new RecordsUnusable(`it cannot be used: ${(error as Error).message || 'nothing answers there'}`)
    }
  }
}
