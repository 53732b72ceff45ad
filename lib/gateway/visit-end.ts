import type { Clock } from '../clock.ts'
import type { VisitEnd } from '../http/serve.ts'
import type { Logger } from '../observability/logger.ts'
import type { Metrics } from '../observability/metrics.ts'
import { logRequest, logWork } from '../observability/request-line.ts'
import type { ErrorReporter } from '../observability/sentry.ts'
import type { Visit } from '../visit.ts'
import type { BackgroundEnd } from './background.ts'

type Audience = Readonly<{ logger: Logger; metrics: Metrics; errors: ErrorReporter; clock: Clock }>

const outcomeOf = ({ error }: VisitEnd): 'ok' | 'error' | 'aborted' => {
  if (!error) return 'ok'
  return error.code === 'CLIENT_GONE' ? 'aborted' : 'error'
}

/** Tells the log and the metrics of every visit's end, and the error reporter of those that were our fault. */
export const tellOfEnd =
  ({ logger, metrics, errors, clock }: Audience) =>
  (visit: Visit, end: VisitEnd): void => {
    const outcome = { ...end, outcome: outcomeOf(end), endedAt: clock.now() }
    void logRequest(logger, visit, outcome)
    void metrics.visitEnded(visit, outcome)
    if (end.error?.code !== 'INTERNAL_ERROR') return
    errors.capture(end.error.cause ?? end.error, { requestId: visit.requestId, route: visit.route })
  }

type WorkName = Parameters<typeof logWork>[1]

/** Tells of the end of work that no request waits for: it may have cost something all the same. */
const tellOfWork =
  (name: WorkName) =>
  ({ logger, metrics, errors, clock }: Audience): BackgroundEnd =>
  (visit, error) => {
    void logWork(logger, name, visit, { error, outcome: error ? 'error' : 'ok', endedAt: clock.now() })
    void metrics.workEnded(visit)
    if (error?.code !== 'INTERNAL_ERROR') return
    errors.capture(error.cause ?? error, { requestId: visit.requestId, route: visit.route })
  }

/** Of an answer that was fetched anew behind a stale one. */
export const tellOfRefresh = tellOfWork('refresh')

/** Of one run of a batch's item. */
export const tellOfRun = tellOfWork('batch item')
