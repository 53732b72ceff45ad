import type { GatewayError } from '../errors.ts'
import type { Usage } from '../llm/types.ts'
import { usdOf } from '../money.ts'
import { type Hedge, type RequestContext, upstreamMs } from '../request-context.ts'
import type { Logger } from './logger.ts'

/** How a request ended. `aborted`: the client left first. */
export type Outcome = Readonly<{
  method: string
  status: number
  outcome: 'ok' | 'error' | 'aborted'
  error?: GatewayError | undefined
  endedAt: number
}>

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

/** Writes the one line that every request leaves in the log, when it has ended. */
export const logRequest = (
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
    ...usageFields(usage),
    ...(error && error.status >= 500 && { err: error }),
  }
  const message =
    ending === 'ok' ? 'request answered' : `request ${ending === 'error' ? 'failed' : 'aborted'}`
  if (error?.code === 'INTERNAL_ERROR') logger.error(line, message)
  else if (error && error.status >= 500) logger.warn(line, message)
  else logger.info(line, message)
}

/** Writes the line of work that no request waits for: it costs what any other costs. */
export const logWork = (
  logger: Logger,
  name: 'refresh' | 'batch item',
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
    ...usageFields(usage),
    ...(error && error.status >= 500 && { err: error }),
  }
  if (error?.code === 'INTERNAL_ERROR') logger.error(line, `${name} failed`)
  else if (error) logger.warn(line, `${name} failed`)
  else logger.info(line, `${name} answered`)
}
