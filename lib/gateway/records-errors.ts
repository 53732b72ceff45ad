import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import type { Logger } from '../observability/logger.ts'
import { reasonOf } from '../storage/records/fault.ts'
import { RecordsMonitor } from '../storage/records/monitor.ts'
import type { Records } from '../storage/records/records.ts'

type ReportDeps = Readonly<{ clock: Clock; logger: Logger }>

const LOGGED_AGAIN_AFTER_MS = 60_000
const MOST_KINDS = 100

/** Observes every database operation: logs one warning when they begin to fail, one line when they succeed again. */
export const watched = (records: Records, { clock, logger }: ReportDeps): RecordsMonitor => {
  const component = 'records'
  const watch = new RecordsMonitor({
    clock,
    onLost: err =>
      logger.warn(
        { component, reason: reasonOf(err), err },
        'database operation failed: batches wait, chats continue',
      ),
    onBack: () => logger.info({ component }, 'database operations succeed again'),
  })
  records.watch(watch.ended)
  return watch
}

/**
 * Logs failed database operations of background work: the same error once a minute. An unreachable database is logged
 * by the monitor instead.
 */
export const reportRecordsError = ({ clock, logger }: ReportDeps): ((err: unknown) => void) => {
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
