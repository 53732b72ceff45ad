import { GatewayError } from '../../errors.ts'

/** A database that the gateway must not start with. Its message goes on after the database's name. */
export class RecordsUnusable extends Error {
  override readonly name = 'RecordsUnusable'
}

const codeOf = (error: unknown): string => {
  const { code, errcode, errstr } = error as { code?: unknown; errcode?: unknown; errstr?: unknown }
  return typeof errcode === 'number' ? `SQLITE ${errcode & 0xff} ${errstr}` : String(code ?? '')
}

/** SQLite: busy, locked. Postgres: serialization failure, deadlock. The same may work a moment later. */
const PASSING = /^SQLITE [56] |^40001$|^40P01$/
/**
 * SQLite: I/O error, full, cannot open, read-only. Postgres: connection lost, insufficient resources, operator's
 * intervention, cannot connect now; Node: whatever keeps a connection from being made.
 */
const ABSENT = /^SQLITE (8|10|13|14) |^08|^53|^57|^58|^XX000$|^E[A-Z]+$/
const PG_POOL =
  /timeout exceeded when trying to connect|Connection terminated|Query read timeout|not queryable/

/** Whether the same may work a moment later, because somebody else was writing. */
export const isPassing = (error: unknown): boolean => PASSING.test(codeOf(error))

/** What a failing database is to a client. What is no failure of the database stays as it is. */
export const recordsError = (error: unknown): unknown => {
  const isAbsent =
    isPassing(error) || ABSENT.test(codeOf(error)) || (error instanceof Error && PG_POOL.test(error.message))
  return isAbsent
    ? new GatewayError('STORE_UNAVAILABLE', undefined, { cause: error, retryAfterSeconds: 1 })
    : error
}
