import type { Clock } from '../clock.ts'
import type { GatewayError } from '../errors.ts'
import type { RequestEnd } from '../http/serve.ts'
import type { Logger } from '../observability/logger.ts'
import type { Metrics } from '../observability/metrics.ts'
import { logRequest, logWork } from '../observability/request-line.ts'
import type { ErrorReporter } from '../observability/sentry.ts'
import type { RequestContext } from '../request-context.ts'
import type { BackgroundEnd } from './background.ts'

/** Waits until all of it is written. What cannot be is said in the log: it must not keep a stopping gateway. */
const written = async (logger: Logger, ...writing: readonly Promise<void>[]): Promise<void> => {
  for (const result of await Promise.allSettled(writing))
    if (result.status === 'rejected')
      logger.error({ err: result.reason }, 'the record of a request could not be written')
}

type Audience = Readonly<{ logger: Logger; metrics: Metrics; errors: ErrorReporter; clock: Clock }>

const outcomeOf = (error: GatewayError | undefined): 'ok' | 'error' | 'aborted' => {
  if (!error) return 'ok'
  return error.code === 'CLIENT_GONE' ? 'aborted' : 'error'
}

/**
 * Tells the log and the metrics of every visit's end, and the error reporter of those that were our fault. Resolves
 * when that is written; never rejects.
 */
export const reportRequest =
  ({ logger, metrics, errors, clock }: Audience) =>
  (context: RequestContext, { method, status, thrown, left }: RequestEnd): Promise<void> => {
    const error = thrown ?? context.journal.error ?? left
    const outcome = { method, status, error, outcome: outcomeOf(error), endedAt: clock.now() }
    if (error?.code === 'INTERNAL_ERROR')
      errors.capture(error.cause ?? error, { requestId: context.requestId, route: context.route })
    return written(logger, logRequest(logger, context, outcome), metrics.requestEnded(context, outcome))
  }

type WorkName = Parameters<typeof logWork>[1]

/** Tells of the end of work that no request waits for: it may have cost something all the same. */
const reportWork =
  (name: WorkName) =>
  ({ logger, metrics, errors, clock }: Audience): BackgroundEnd =>
  (context, thrown) => {
    const error = thrown ?? context.journal.error
    const outcome = { error, outcome: error ? 'error' : 'ok', endedAt: clock.now() } as const
    if (error?.code === 'INTERNAL_ERROR')
      errors.capture(error.cause ?? error, { requestId: context.requestId, route: context.route })
    return written(logger, logWork(logger, name, context, outcome), metrics.workEnded(context))
  }

/** Of an answer that was fetched anew behind a stale one. */
export const reportRefresh = reportWork('refresh')

/** Of one run of a batch's item. */
export const reportBatchItem = reportWork('batch item')
