import type { Clock } from '../clock.ts'
import type { Handler } from '../compose.ts'
import { type GatewayError, toGatewayError } from '../errors.ts'
import { AttemptBudget } from '../llm/attempt-budget.ts'
import { collect } from '../llm/collect.ts'
import type { Call, Reply } from '../llm/types.ts'
import { callerOf, newJournal, type RequestContext } from '../request-context.ts'
import { messagesBelow } from './instruction.ts'
import { isPoisonItem, retryDecision } from './retry-decision.ts'
import type { Claim, ItemReply, Outcome } from './types.ts'
import type { RunItem } from './worker.ts'

/** Work that a stopping gateway waits for. Its signal aborts when that takes too long. */
export type OpenWork = Readonly<{
  signal: AbortSignal
  abort: (reason: GatewayError) => void
  /** Ends it, once its record is written. */
  close: (record?: Promise<void>) => void
}>

export type RunDeps = Readonly<{
  /** The pipeline for callers that were admitted at submission. */
  answer: Handler<Call, Reply>
  /** The model of items that name none. */
  defaultModel: () => string
  /** Longest answer, UTF-8 bytes. */
  maxResponseBytes: number
  /** How long a run waits for the first content. */
  firstContentMs: number
  open: (client: AbortSignal) => OpenWork
  /** The pipeline's. */
  clock: Clock
  /** Decides when to retry. */
  shared: Pick<Clock, 'now'>
  random: () => number
  /** Records each run's end, with its error. Never rejects. */
  onEnd: (context: RequestContext, error: GatewayError | undefined) => Promise<void>
}>

const POISON_ITEM = 'The item was interrupted too often before it finished.'

const callFor = (claim: Claim, signal: AbortSignal, deps: RunDeps): Call => {
  const { request } = claim
  const caller = callerOf(claim.owner)
  const startedAt = deps.clock.now()
  return {
    requestId: `${claim.jobId}:${claim.index}:${claim.fence}`,
    route: '/api/batch',
    surface: 'upload',
    client: { address: caller.address },
    caller,
    signal,
    startedAt,
    journal: { ...newJournal(), caller: caller.kind },
    messages: messagesBelow(claim.instruction, request),
    model: request.model ?? deps.defaultModel(),
    // So that a provider that has stopped responding is noticed.
    stream: true,
    temperature: request.temperature,
    maxOutputTokens: request.maxTokens,
    deadlineAt: startedAt + deps.firstContentMs,
    maxResponseBytes: deps.maxResponseBytes,
    cache: request.cache,
    fallback: request.fallback,
    background: true,
    plan: [],
    attempts: new AttemptBudget(),
  }
}

const collected = async (reply: Reply): Promise<ItemReply> => {
  const { text, refusal, finish } = await collect(reply)
  const { costPicoUsd, ...usage } = await reply.usage
  return {
    content: text + refusal,
    finishReason: finish.reason,
    truncated: finish.truncated ?? false,
    target: reply.head.target,
    usage,
    cache: reply.head.cache,
    ...(costPicoUsd !== undefined && { costPicoUsd }),
  }
}

/** Runs an item through the same pipeline as any other call, with a request context of its own. */
export const running =
  (deps: RunDeps): RunItem =>
  async (claim, signal): Promise<Outcome> => {
    const { answer, open, shared, random, onEnd } = deps
    if (isPoisonItem(claim))
      return { state: 'failed', fault: { code: 'INTERNAL_ERROR', message: POISON_ITEM, retryable: true } }
    const work = open(signal)
    let call: Call | undefined
    let record: Promise<void> | undefined
    try {
      call = callFor(claim, work.signal, deps)
      const answered = await collected(await answer(call))
      record = onEnd(call, undefined)
      return { state: 'succeeded', answer: answered }
    } catch (thrown) {
      const error = toGatewayError(thrown)
      if (call) record = onEnd(call, error)
      return retryDecision(error, claim, {
        now: shared.now(),
        random,
        hasAsked: call !== undefined && call.attempts.made.length > 0,
      })
    } finally {
      work.close(record)
    }
  }
