import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import { ConfigurationError } from '../config/env.ts'
import type { Environment } from '../config/schema.ts'
import { GatewayError } from '../errors.ts'
import type { Logger } from '../observability/logger.ts'
import { RecordsUnusable, reasonOf } from '../storage/records/fault.ts'
import { RecordsMonitor } from '../storage/records/monitor.ts'
import { openRecords } from '../storage/records/open.ts'
import type { Records } from '../storage/records/records.ts'
import { sharedClock } from '../storage/records/shared-clock.ts'

/** The database of this process, opened once. */
export type Database = Readonly<{
  records: Records
  backend: 'SQLite' | 'Postgres'
  /** The clock that all processes on this database share. */
  clock: Clock
  /** The error of the latest operation; undefined where it succeeded. */
  readonly failure: string | undefined
  /** Logs failed database operations of background work: the same error once a minute. */
  reportError: (error: unknown) => void
  /** Closes it after all pending operations. */
  close: () => Promise<void>
}>

type DatabaseDeps = Readonly<{ env: Environment; clock: Clock; logger: Logger }>

const LOGGED_AGAIN_AFTER_MS = 60_000
const MOST_KINDS = 100
const component = 'records'

const open = async ({ env, clock, logger }: DatabaseDeps): Promise<Records> => {
  const location = {
    databaseUrl: env.DATABASE_URL,
    dataDir: env.DATA_DIR,
    waitMs: env.DATABASE_WAIT_SECONDS * 1000,
    onWait: (text: string) => void process.stderr.write(`${text}\n`),
    onLost: (err: Error) =>
      logger.error({ err, component }, 'the thread of the database ended and is started again'),
  }
  try {
    return await openRecords(location, clock)
  } catch (error) {
    if (!(error instanceof RecordsUnusable)) throw error
    throw new ConfigurationError([
      `  ${error.message}; set DATA_DIR to a directory that can be written, or DATABASE_URL to a Postgres`,
    ])
  }
}

/** Follows every operation: one warning when they begin to fail, one line when they succeed again. */
const monitor = (records: Records, { clock, logger }: DatabaseDeps): RecordsMonitor => {
  const monitor = new RecordsMonitor({
    clock,
    onLost: err =>
      logger.warn(
        { component, reason: reasonOf(err), err },
        'database operation failed: batches wait, chats continue',
      ),
    onBack: () => logger.info({ component }, 'database operations succeed again'),
  })
  records.watch(monitor.ended)
  return monitor
}

/** The monitor logs an unreachable database. */
const reportingErrors = ({ clock, logger }: DatabaseDeps): ((err: unknown) => void) => {
  const logged = new LRUCache<string, number>({ max: MOST_KINDS })
  return err => {
    if (err instanceof GatewayError && err.code === 'STORE_UNAVAILABLE') return
    const reason = reasonOf(err)
    const now = clock.now()
    if (now - (logged.get(reason) ?? Number.NEGATIVE_INFINITY) < LOGGED_AGAIN_AFTER_MS) return
    logged.set(reason, now)
    logger.warn({ err, component: 'batch' }, 'database operation failed')
  }
}

/** @throws ConfigurationError where the database cannot be used */
export const openDatabase = async (deps: DatabaseDeps): Promise<Database> => {
  const records = await open(deps)
  const operations = monitor(records, deps)
  return {
    records,
    backend: records.dialect === 'sqlite' ? 'SQLite' : 'Postgres',
    clock: await sharedClock(records, deps.clock),
    get failure() {
      return operations.failure
    },
    reportError: reportingErrors(deps),
    close: () => records.close(),
  }
}
