import { GatewayError } from '../../errors.ts'

/** A database that the gateway must not start with. Its message continues the database's name. */
export class RecordsUnusable extends Error {
  override readonly name = 'RecordsUnusable'
}

/** `SQLITE` with its primary code and text, an SQLSTATE, or Node's own code; empty where there is none. */
const codeOf = (error: unknown): string => {
  const { code, errcode, errstr } = error as { code?: unknown; errcode?: unknown; errstr?: unknown }
  return typeof errcode === 'number' ? `SQLITE ${errcode & 0xff} ${errstr}` : String(code ?? '')
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : '')

/** SQLite: busy, locked. Postgres: serialization failure, deadlock, lock not available. */
const PASSING = /^SQLITE [56] |^40001$|^40P01$|^55P03$/

/** SQLite: out of memory, read-only, I/O error, damaged, full, cannot open, locking protocol, not a database. */
const SQLITE_ABSENT = /^SQLITE (7|8|10|11|13|14|15|26) /

/**
 * SQLSTATEs that the state of the database or of the connection causes (PostgreSQL, appendix A): 08 connection;
 * 25006 read-only, a standby too; 25P03, 25P04 ended for taking long; 28 access refused; 3D, 3F, 42P01 database, schema
 * or table missing; 40003 outcome unknown; 42501 privilege missing; 53 resources, a full disk too; 55 not in the
 * state for it; 57 operator; 58 system; F0 configuration; XX internal, damaged data too. Other errors of a statement
 * (22, 23, 42, 0A) are bugs.
 */
const SQLSTATE_ABSENT =
  /^(08...|25006|25P03|25P04|28...|3D...|3F...|40003|42P01|42501|53...|55...|57...|58...|F0...|XX...)$/

/** Node's codes for untrusted certificates. */
const CERTIFICATE =
  /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|ERR_TLS_|ERR_SSL_)/
/** Node's codes for unusable connections and files. Its `ERR_…` are bugs, except these. */
const NODE_ABSENT = /^(E(?!RR_)[A-Z_]+|ERR_SOCKET_[A-Z_]+)$/
const LATE = /^Query read timeout$/
const DRIVER_ABSENT =
  /timeout exceeded when trying to connect|Connection terminated|not queryable|received invalid response|does not support SSL|SASL|after calling end/

/** Codes with which Postgres ends a session. */
const isFatal = (error: unknown): boolean =>
  /^(FATAL|PANIC)$/.test(String((error as { severity?: unknown }).severity ?? ''))

const isAbsent = (error: unknown): boolean => {
  const code = codeOf(error)
  if (code === '') return LATE.test(messageOf(error)) || DRIVER_ABSENT.test(messageOf(error))
  return [SQLITE_ABSENT, SQLSTATE_ABSENT, NODE_ABSENT, CERTIFICATE].some(kind => kind.test(code))
}

/** Whether a statement timed out. */
export const isLate = (error: unknown): boolean => LATE.test(messageOf(error))

/** Whether it only reports that an earlier statement of the same transaction failed. */
export const isAborted = (error: unknown): boolean => codeOf(error) === '25P02'

/** Whether a retry may succeed, because another process was writing. */
export const isPassing = (error: unknown): boolean => PASSING.test(codeOf(error))

/** Whether Postgres or the connection refuses us for a permanent reason. */
export const isPermanent = (error: unknown): boolean =>
  /^(28...|3D...|42501)$/.test(codeOf(error)) || CERTIFICATE.test(codeOf(error))

/** A short reason without the statement, for the log and the start. */
export const reasonOf = (error: unknown): string => {
  const cause = error instanceof GatewayError ? error.cause : error
  return messageOf(cause) || codeOf(cause) || 'nothing listens there'
}

/** Only the code, since messages name hosts: for public output. */
export const shortReasonOf = (error: unknown): string => {
  const cause = error instanceof GatewayError ? error.cause : error
  if (isLate(cause)) return 'no answer'
  return codeOf(cause) || 'no connection'
}

/** A database failure as the error for a client. Other errors stay unchanged. */
export const recordsError = (error: unknown): unknown =>
  error instanceof GatewayError || !(isPassing(error) || isFatal(error) || isAbsent(error))
    ? error
    : new GatewayError('STORE_UNAVAILABLE', undefined, { cause: error, retryAfterSeconds: 1 })
