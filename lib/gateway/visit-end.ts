import type { Clock } from '../clock.ts'
import type { VisitEnd } from '../http/serve.ts'
import type { Logger } from '../observability/logger.ts'
import type { Metrics } from '../observability/metrics.ts'
import { logRefresh, logRequest } from '../observability/request-line.ts'
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

/** Tells of a refresh's end in the same places: nobody asked for it by itself, but it may have cost something. */
export const tellOfRefresh =
  ({ logger, metrics, errors, clock }: Audience): BackgroundEnd =>
  (visit, error) => {
    void logRefresh(logger, visit, { error, outcome: error ? 'error' : 'ok', endedAt: clock.now() })
    void metrics.refreshEnded(visit)
    if (error?.code !== 'INTERNAL_ERROR') return
    errors.capture(error.cause ?? error, { requestId: visit.requestId, route: visit.route })
  }
