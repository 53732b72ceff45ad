import type { Clock } from '../clock.ts'
import type { Policy } from '../compose.ts'
import type { GatewayError } from '../errors.ts'
import { tap } from '../llm/events.ts'
import type { Call, Reply, Usage } from '../llm/types.ts'
import { usdOf } from '../money.ts'
import {
  type BackgroundEnd,
  type Hedge,
  type Outcome,
  type RequestContext,
  type RequestEnd,
  upstreamMs,
} from '../request-context.ts'
import type { Logger } from './logger.ts'
import type { Metrics } from './metrics.ts'
import type { ErrorReporter } from './sentry.ts'

/** Observes every call once, whatever its outcome, and records the answer in the journal. */
export const record = (): Policy<Call, Reply> =>
  async function record(call, next) {
    const { journal } = call
    journal.model = call.model
    const reply = await next(call)
    journal.usage = reply.usage
    journal.head = reply.head
    return tap(reply, {
      onEvents(events) {
        for (const event of events) {
          if (event.type === 'finish') journal.finishReason = event.reason
          else if (event.type === 'error') journal.error = event.error
        }
      },
    })
  }

const round = (milliseconds: number): number => Math.round(milliseconds * 10) / 10

const usageFields = (usage: Usage | undefined) =>
  usage && {
    inputTokens: usage.inputTokens,
    outputTokens: usage.outputTokens,
    ...(usage.costPicoUsd !== undefined && { costUsd: usdOf(usage.costPicoUsd) }),
    ...(usage.estimated && { estimated: true }),
  }

const hedgeFields = ({ result, usage }: Hedge) => ({
  hedged: result,
  ...(usage?.costPicoUsd !== undefined && { hedgeCostUsd: usdOf(usage.costPicoUsd) }),
})

const answerFields = (context: RequestContext, { endedAt }: Pick<Outcome, 'endedAt'>) => {
  const { attempts, firstContentAt, finishReason, head, hedge, ignoredEvents } = context.journal
  const target = head?.target ?? attempts.at(-1)?.target
  return (
    target && {
      provider: target.provider,
      model: target.name,
      attempts: attempts.length,
      upstreamMs: round(upstreamMs(context.journal, endedAt)),
      ...(firstContentAt !== undefined && { firstContentMs: round(firstContentAt - context.startedAt) }),
      ...(finishReason && { finishReason }),
      ...(ignoredEvents !== undefined && { ignoredEvents }),
      ...(head && { cache: head.cache }),
      ...(head?.fallback && { fallback: true }),
      ...(hedge && hedgeFields(hedge)),
      ...(context.journal.arm !== undefined && { arm: context.journal.arm }),
    }
  )
}

const guardrailFields = ({ journal: { guardrails } }: RequestContext) => guardrails && { guardrails }

/** Writes the one log line of a request, when it has ended. */
const logRequest = (
  logger: Logger,
  context: RequestContext,
  outcome: Outcome,
  usage: Usage | undefined,
): void => {
  const { error, method, status, outcome: ending } = outcome
  const line = {
    requestId: context.requestId,
    method,
    route: context.route,
    status,
    outcome: ending,
    ...(error && { code: error.code }),
    ...(error?.waitedFor && { waitedFor: error.waitedFor }),
    caller: context.journal.caller ?? context.caller.kind,
    latencyMs: round(outcome.endedAt - context.startedAt),
    ...answerFields(context, outcome),
    ...guardrailFields(context),
    ...usageFields(usage),
    ...(error && error.status >= 500 && { err: error }),
  }
  const message =
    ending === 'ok' ? 'request answered' : `request ${ending === 'error' ? 'failed' : 'aborted'}`
  if (error?.code === 'INTERNAL_ERROR') logger.error(line, message)
  else if (error && error.status >= 500) logger.warn(line, message)
  else logger.info(line, message)
}

/** Writes the log line of background work, which has a cost like any request. */
const logWork = (
  logger: Logger,
  name: 'refresh' | 'batch item' | 'evaluation call',
  context: RequestContext,
  outcome: Omit<Outcome, 'method' | 'status'>,
  usage: Usage | undefined,
): void => {
  const { error, endedAt } = outcome
  const line = {
    requestId: context.requestId,
    route: context.route,
    outcome: outcome.outcome,
    ...(error && { code: error.code }),
    latencyMs: round(endedAt - context.startedAt),
    ...answerFields(context, outcome),
    ...guardrailFields(context),
    ...usageFields(usage),
    ...(error && error.status >= 500 && { err: error }),
  }
  if (error?.code === 'INTERNAL_ERROR') logger.error(line, `${name} failed`)
  else if (error) logger.warn(line, `${name} failed`)
  else logger.info(line, `${name} answered`)
}

/**
 * Writes as soon as the usage of the answer is known. A failure is logged: it must not keep a gateway from stopping.
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

/** Records the ends of requests in the ledger. */
type Ledger = Readonly<{
  requestEnded: (
    kind: 'request' | 'refresh' | 'batch-item',
    context: RequestContext,
    end: Pick<Outcome, 'outcome' | 'error' | 'endedAt'> & Readonly<{ status?: number }>,
    usage: Usage | undefined,
  ) => void
}>

type Audience = Readonly<{
  logger: Logger
  metrics: Metrics
  errors: ErrorReporter
  clock: Clock
  ledger: Ledger
}>

const outcomeOf = (error: GatewayError | undefined): 'ok' | 'error' | 'aborted' => {
  if (!error) return 'ok'
  return error.code === 'CLIENT_GONE' ? 'aborted' : 'error'
}

/**
 * Reports the end of every request to the log and the metrics, and internal errors to the error reporter. Resolves when
 * that is written; never rejects.
 */
export const reportRequest =
  ({ logger, metrics, errors, clock, ledger }: Audience) =>
  (context: RequestContext, { method, status, thrown, abortedBy }: RequestEnd): Promise<void> => {
    const error = thrown ?? context.journal.error ?? abortedBy
    const outcome = { method, status, error, outcome: outcomeOf(error), endedAt: clock.now() }
    if (error?.code === 'INTERNAL_ERROR')
      errors.capture(error.cause ?? error, { requestId: context.requestId, route: context.route })
    return written(logger, context, usage => {
      logRequest(logger, context, outcome, usage)
      metrics.requestEnded(context, outcome, usage)
      ledger.requestEnded('request', context, outcome, usage)
    })
  }

type WorkName = Parameters<typeof logWork>[1]

const LEDGER_KINDS = {
  refresh: 'refresh',
  'batch item': 'batch-item',
  'evaluation call': 'request',
} as const satisfies Record<WorkName, string>

/** Reports the end of work for which no request waits: it may have a cost too. */
const reportWork =
  (name: WorkName) =>
  ({ logger, metrics, errors, clock, ledger }: Audience): BackgroundEnd =>
  (context, thrown) => {
    const error = thrown ?? context.journal.error
    const outcome = { error, outcome: outcomeOf(error), endedAt: clock.now() }
    if (error?.code === 'INTERNAL_ERROR')
      errors.capture(error.cause ?? error, { requestId: context.requestId, route: context.route })
    return written(logger, context, usage => {
      logWork(logger, name, context, outcome, usage)
      metrics.workEnded(context, usage)
      ledger.requestEnded(LEDGER_KINDS[name], context, outcome, usage)
    })
  }

/** The refresh of a stale answer. */
export const reportRefresh = reportWork('refresh')

/** A call of a model for an evaluation that a request waits for. */
export const reportEvaluationCall = reportWork('evaluation call')

/** One run of a batch item. */
export const reportBatchItem = reportWork('batch item')
