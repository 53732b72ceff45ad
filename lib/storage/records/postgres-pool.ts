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

/** How long an operation waits for a connection, a new or a pooled one. */
const CONNECT_MS = 1_500
const IDLE_MS = 30_000

/** Whole numbers as numbers; beyond 2^53 they are read as text, by a cast. */
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format as 'text'),
} as pg.CustomTypesConfig

/**
 * A connection for one operation. After a timeout it is closed, since the server may never answer on it again, and
 * every later statement (the rollback too) would wait as long. Of a failed transaction the first error is thrown, not
 * the server's replies to later statements.
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
 * Connections to Postgres. There is no session state (no prepared statements, settings or LISTEN), so that a pooler may
 * assign every transaction to another connection.
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
