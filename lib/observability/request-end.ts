import type { Clock } from '../clock.ts'
import type { GatewayError } from '../errors.ts'
import type { BackgroundEnd, RequestContext, RequestEnd } from '../request-context.ts'
import type { Logger } from './logger.ts'
import type { Metrics } from './metrics.ts'
import { logRequest, logWork } from './request-line.ts'
import type { ErrorReporter } from './sentry.ts'

type Audience = Readonly<{ logger: Logger; metrics: Metrics; errors: ErrorReporter; clock: Clock }>

const outcomeOf = (error: GatewayError | undefined): 'ok' | 'error' | 'aborted' => {
  if (!error) return 'ok'
  return error.code === 'CLIENT_GONE' ? 'aborted' : 'error'
}

/** Reports the end of every request to the log and the metrics, and internal errors to the error reporter. */
export const reportRequest =
  ({ logger, metrics, errors, clock }: Audience) =>
  (context: RequestContext, { method, status, thrown, left }: RequestEnd): void => {
    const error = thrown ?? context.journal.error ?? left
    const outcome = { method, status, error, outcome: outcomeOf(error), endedAt: clock.now() }
    void logRequest(logger, context, outcome)
    void metrics.requestEnded(context, outcome)
    if (error?.code !== 'INTERNAL_ERROR') return
    errors.capture(error.cause ?? error, { requestId: context.requestId, route: context.route })
  }

type WorkName = Parameters<typeof logWork>[1]

/** Reports the end of work for which no request waits: it may have a cost too. */
const reportWork =
  (name: WorkName) =>
  ({ logger, metrics, errors, clock }: Audience): BackgroundEnd =>
  (context, thrown) => {
    const error = thrown ?? context.journal.error
    void logWork(logger, name, context, { error, outcome: error ? 'error' : 'ok', endedAt: clock.now() })
    void metrics.workEnded(context)
    if (error?.code !== 'INTERNAL_ERROR') return
    errors.capture(error.cause ?? error, { requestId: context.requestId, route: context.route })
  }

/** The refresh of a stale answer. */
export const reportRefresh = reportWork('refresh')

/** One run of a batch item. */
export const reportBatchItem = reportWork('batch item')
