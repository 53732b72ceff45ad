import type { Clock } from '../clock.ts'
import type { GatewayError } from '../errors.ts'
import type { BackgroundEnd, RequestContext, RequestEnd } from '../request-context.ts'
import type { Logger } from './logger.ts'
import type { Metrics } from './metrics.ts'
import { logRequest, logWork } from './request-line.ts'
import type { ErrorReporter } from './sentry.ts'

/** Waits until all of it is written. A failure is logged: it must not keep a gateway from stopping. */
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
 * Reports the end of every request to the log and the metrics, and internal errors to the error reporter. Resolves when
 * that is written; never rejects.
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

/** Reports the end of work for which no request waits: it may have a cost too. */
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

/** The refresh of a stale answer. */
export const reportRefresh = reportWork('refresh')

/** One run of a batch item. */
export const reportBatchItem = reportWork('batch item')
