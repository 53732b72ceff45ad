import { Kysely, PostgresDialect, sql } from 'kysely'
import { type Clock, sleep } from '../../clock.ts'
import { isPermanent, RecordsUnusable, reasonOf, recordsError } from './fault.ts'
import { migrate } from './migrate.ts'
import { postgresPool } from './postgres-pool.ts'
import { Records } from './records.ts'
import type { RecordsSchema } from './schema.ts'

export type PostgresStart = Readonly<{
  /** How long one that is not there yet is waited for, in milliseconds. */
  waitMs: number
  /** Called once with a message, when it begins to wait. */
  onWait: (text: string) => void
}>

const MOST_CONNECTIONS = 10
/** Limit of an operation: with the wait for a connection, a silent server delays a request by less than 5 s. */
const OPERATION_MS = 4_400
const PAUSE_MS = 500
const NEVER = new AbortController().signal

/** The database's location, without user and password. */
const locationOf = (url: string): string => {
  const { host, searchParams, pathname } = new URL(url)
  const name = pathname.slice(1)
  const where = host || searchParams.get('host') || 'localhost'
  return `Postgres at ${where}${/^[\w-]+$/.test(name) ? `, database ${name}` : ''}`
}

const kyselyOver = (
  url: string,
  clock: Clock,
  mostConnections: number,
  operationMs: number,
): Kysely<RecordsSchema> =>
  new Kysely<RecordsSchema>({
    dialect: new PostgresDialect({ pool: postgresPool({ url, clock, mostConnections, operationMs }) }),
  })

/** Runs the migrations, which may take longer than any later operation. */
const migrated = async (url: string, clock: Clock, withinMs: number): Promise<void> => {
  const db = kyselyOver(url, clock, 1, Math.max(OPERATION_MS, withinMs))
  try {
    await migrate(db, 'postgres')
  } finally {
    await db.destroy()
  }
}

/**
 * Opens the database in Postgres, and waits for one that is not available yet.
 * @throws RecordsUnusable where it refuses us, is not available in time, or belongs to a newer gateway.
 */
export const postgresRecords = async (
  url: string,
  clock: Clock,
  { waitMs, onWait }: PostgresStart,
): Promise<Records> => {
  const db = kyselyOver(url, clock, MOST_CONNECTIONS, OPERATION_MS)
  const seconds = `${waitMs / 1000} s`
  for (let deadline = clock.now() + waitMs, isWaiting = false; ; ) {
    try {
      await sql`select 1`.execute(db)
      await migrated(url, clock, deadline - clock.now())
      return new Records(db, 'postgres', clock)
    } catch (error) {
      const passes = !isPermanent(error) && recordsError(error) !== error
      if (passes && clock.now() < deadline) {
        if (!isWaiting) onWait(`Waiting up to ${seconds} for ${locationOf(url)}: ${reasonOf(error)}.`)
        isWaiting = true
        await sleep(clock, PAUSE_MS, NEVER)
        continue
      }
      await db.destroy()
      if (error instanceof RecordsUnusable) throw error
      // The driver's own messages name host, user and database, and no password.
      const time = isWaiting ? ` within ${seconds}` : ''
      throw new RecordsUnusable(`it cannot be used${time} (${locationOf(url)}): ${reasonOf(error)}`)
    }
  }
}
