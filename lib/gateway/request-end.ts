import type { Clock } from '../clock.ts'
import type { GatewayError } from '../errors.ts'
import type { RequestEnd } from '../http/serve.ts'
import type { Logger } from '../observability/logger.ts'
import type { Metrics } from '../observability/metrics.ts'
import { logRequest, logWork } from '../observability/request-line.ts'
import type { ErrorReporter } from '../observability/sentry.ts'
import type { RequestContext } from '../request-context.ts'
import type { BackgroundEnd } from './background.ts'

type Audience = Readonly<{ logger: Logger; metrics: Metrics; errors: ErrorReporter; clock: Clock }>

const outcomeOf = (error: GatewayError | undefined): 'ok' | 'error' | 'aborted' => {
  if (!error) return 'ok'
  return error.code === 'CLIENT_GONE' ? 'aborted' : 'error'
}

/** Tells the log and the metrics of every visit's end, and the error reporter of those that were our fault. */
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

/** Tells of the end of work that no request waits for: it may have cost something all the same. */
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

/** Of an answer that was fetched anew behind a stale one. */
export const reportRefresh = reportWork('refresh')

/** Of one run of a batch's item. */
export const reportBatchItem = reportWork('batch item')
