import type { Clock } from '../clock.ts'
import type { GatewayError } from '../errors.ts'
import type { RequestEnd } from '../http/serve.ts'
import type { Usage } from '../llm/types.ts'
import type { Logger } from '../observability/logger.ts'
import type { Metrics } from '../observability/metrics.ts'
import { logRequest, logWork } from '../observability/request-line.ts'
import type { ErrorReporter } from '../observability/sentry.ts'
import type { RequestContext } from '../request-context.ts'
import type { BackgroundEnd } from './background.ts'

/**
 * Writes down an end as soon as it is known what its answer used. Where that fails, the log says so: it must not keep
 * a gateway from stopping.
 */
const written = async (
  logger: Logger,
  { journal }: RequestContext,
  write: (usage: Usage | undefined) => void,
): Promise<void> => {
  try {
    write(journal.usage && (await journal.usage))
  } catch (err) {
    logger.error({ err }, 'the record of a request could not be written')
  }
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
    return written(logger, context, usage => {
      logRequest(logger, context, outcome, usage)
      metrics.requestEnded(context, outcome, usage)
    })
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
    return written(logger, context, usage => {
      logWork(logger, name, context, outcome, usage)
      metrics.workEnded(context, usage)
    })
  }

/** Of an answer that was fetched anew behind a stale one. */
export const reportRefresh = reportWork('refresh')

/** Of one run of a batch's item. */
export const reportBatchItem = reportWork('batch item')
