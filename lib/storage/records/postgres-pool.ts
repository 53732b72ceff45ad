import type { PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely'
import pg from 'pg'
import type { Clock } from '../../clock.ts'
import { isAborted, isLate } from './fault.ts'

export type PoolOptions = Readonly<{
  url: string
  clock: Clock
  mostConnections: number
  /** How long a statement or a whole transaction may hold a connection, in milliseconds. */
  operationMs: number
}>

/** How long a caller waits for a connection, a new one or one that is in use. */
const CONNECT_MS = 500
const IDLE_MS = 30_000

/** Whole numbers as numbers; beyond 2^53 they are read as text, by a cast. */
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format as 'text'),
} as pg.CustomTypesConfig

/**
 * A connection for one operation. One that is late is cut off, since the server may never answer on it again, and every
 * later statement (the rollback too) would wait as long. Of a transaction that failed, the first error is thrown, not
 * what the server says to each further statement.
 */
const lent = (client: pg.PoolClient, { clock, operationMs }: PoolOptions): PostgresPoolClient => {
  const endsAt = clock.now() + operationMs
  let first: unknown
  const query = async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[]) => {
    try {
      const leftMs = Math.max(1, Math.ceil(endsAt - clock.now()))
      const config = { text, values: [...values], query_timeout: leftMs }
      return (await client.query<Row>(config)) as unknown as PostgresQueryResult<Row>
    } catch (error) {
      if (isLate(error)) void client.end().catch(() => {})
      if (first !== undefined && (text === 'rollback' || isAborted(error))) throw first
      first ??= error
      throw error
    }
  }
  return { query, release: client.release } as PostgresPoolClient
}

/**
 * Connections to Postgres. Nothing is kept in a session (no prepared statements, no settings, no listening), so that a
 * pooler may hand every transaction to another connection.
 */
export const postgresPool = (options: PoolOptions): PostgresPool => {
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: 'parley',
    max: options.mostConnections,
    connectionTimeoutMillis: CONNECT_MS,
    idleTimeoutMillis: IDLE_MS,
    keepAlive: true,
    types,
  })
  // A connection that breaks while it is unused is replaced; without a listener its error would end the process.
  pool.on('error', () => {})
  pool.on('connect', client => client.on('error', () => {}))
  return {
    connect: async () => lent(await pool.connect(), options),
    end: () => pool.end(),
    options: pool.options,
  }
}
