import { callerOf } from '../caller.ts'
import type { Clock } from '../clock.ts'
import type { Handler } from '../compose.ts'
import { GatewayError, toGatewayError } from '../errors.ts'
import { bytesOf, collect, tap, transform } from '../llm/events.ts'
import { tokensOf } from '../llm/message.ts'
import type { Call, FinishReason, Reply, ReplyEvent, Usage } from '../llm/types.ts'
import { AttemptBudget, newJournal, type RequestContext } from '../request-context.ts'
import { messagesBelow } from './instruction.ts'
import { isPoisonItem, retryDecision } from './retry-decision.ts'
import {
  type Claim,
  type EvaluationRequest,
  type ItemError,
  type ItemReply,
  type ItemRequest,
  isEvaluationRequest,
  isV1Request,
  type Outcome,
  type V1Request,
} from './types.ts'
import type { RunItem } from './worker.ts'

/** Work that a stopping gateway waits for. Its signal aborts when that takes too long. */
export type OpenWork = Readonly<{
  signal: AbortSignal
  abort: (reason: GatewayError) => void
  /** Ends it, once its record is written. */
  close: (record?: Promise<void>) => void
}>

/** A request to `/v1`. */
export type V1Item = Readonly<{
  call: Call
  /** What its route would answer, as JSON text without line breaks. Rejects with the error that ends the reply. */
  answer: (reply: Reply) => Promise<string>
}>

export type V1Deps = Readonly<{
  /** A request, to be answered by `deadlineAt`. Rejects with the GatewayError that its route would answer. */
  item: (context: RequestContext, request: V1Request, deadlineAt: number) => Promise<V1Item>
  /** Longest answer, bytes. A longer one is not cut, which its format cannot say: the item fails. */
  maxResponseBytes: number
}>

/** An item of an evaluation: an answer, and its grades. */
export type EvaluationItem = Readonly<{
  /** Rejects with the GatewayError that ends the run. What was stored before is not asked for again. */
  run: () => Promise<ItemReply>
  /** Whether any provider was called. */
  readonly hasAsked: boolean
}>

export type RunDeps = Readonly<{
  /** The pipeline for callers that were admitted at submission. */
  answer: Handler<Call, Reply>
  /** Requests to `/v1`. */
  v1: V1Deps
  /** An item of an evaluation, whose calls are recorded one by one. */
  evaluation: (context: RequestContext, request: EvaluationRequest, index: number) => EvaluationItem
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
  /** Whether other processes run items too. */
  hasOthers: boolean
  /** Records each run's end, with its error. Never rejects. */
  onEnd: (context: RequestContext, error: GatewayError | undefined) => Promise<void>
}>

const POISON_ITEM = 'The item was interrupted too often before it finished.'

const routeOf = (request: ItemRequest): string => {
  if (isEvaluationRequest(request)) return '/api/evaluations'
  return isV1Request(request) ? '/v1/batches' : '/api/batch'
}

const contextFor = (claim: Claim, signal: AbortSignal, deps: RunDeps): RequestContext => {
  const caller = callerOf(claim.owner, claim.keyId)
  return {
    requestId: `${claim.jobId}:${claim.index}:${claim.fence}`,
    route: routeOf(claim.request),
    surface: 'upload',
    client: { address: caller.address },
    caller,
    signal,
    startedAt: deps.clock.now(),
    journal: { ...newJournal(), caller: caller.kind },
  }
}

/** An item's call, and how its reply becomes what is stored. */
type PreparedItem = Readonly<{ call: Call; collect: (reply: Reply) => Promise<ItemReply> }>

const prepared = (
  claim: Claim,
  request: Exclude<ItemRequest, EvaluationRequest>,
  context: RequestContext,
  deps: RunDeps,
): PreparedItem | Promise<PreparedItem> => {
  const deadlineAt = context.startedAt + deps.firstContentMs
  if (isV1Request(request)) return preparedV1(deps, () => deps.v1.item(context, request, deadlineAt))
  const call: Call = {
    ...context,
    messages: messagesBelow(claim.instruction, request),
    model: request.model ?? deps.defaultModel(),
    // A stream shows when its provider has stopped responding.
    stream: true,
    temperature: request.temperature,
    maxOutputTokens: request.maxTokens,
    gatewayTools: request.tools,
    deadlineAt,
    maxResponseBytes: deps.maxResponseBytes,
    cache: request.cache,
    fallback: request.fallback,
    background: true,
    plan: [],
    attempts: new AttemptBudget(),
  }
  return { call, collect: collected }
}

const accountOf = ({ head }: Reply, usage: Usage) => ({
  target: head.target,
  usage: tokensOf(usage),
  cache: head.cache,
  ...(usage.costPicoUsd !== undefined && { costPicoUsd: usage.costPicoUsd }),
})

const collected = async (reply: Reply): Promise<ItemReply> => {
  const { text, refusal, tools, finish } = await collect(reply)
  return {
    content: text + refusal,
    finishReason: finish.reason,
    truncated: finish.truncated ?? false,
    ...(tools && { tools: tools.map(({ type: _, ...run }) => run) }),
    ...accountOf(reply, await reply.usage),
  }
}

const tooLong = (maxBytes: number): ReplyEvent => {
  const message = `The answer is longer than ${maxBytes.toLocaleString('en')} bytes, the most that a batch stores for one request.`
  return { type: 'error', error: new GatewayError('PROVIDER_ERROR', message, { retryable: false }) }
}

/** Ends a reply with an error where it outgrows `maxBytes`, and stops the upstream. */
const bounded = (reply: Reply, maxBytes: number): Reply => {
  // An upstream's own form of an answer comes beside the text in it.
  const bytes = { wire: 0, other: 0 }
  return transform(reply, events => {
    for (const event of events) bytes[event.type === 'wire' ? 'wire' : 'other'] += bytesOf(event)
    const isWithin = Math.max(bytes.wire, bytes.other) <= maxBytes
    return isWithin ? { events } : { events: [tooLong(maxBytes)], ends: true }
  })
}

const preparedV1 = async ({ v1 }: RunDeps, item: () => Promise<V1Item>): Promise<PreparedItem> => {
  const { call, answer } = await item()
  return {
    call: { ...call, background: true },
    collect: reply =>
      collectedV1(reply, answer, { requestId: call.requestId, mostBytes: v1.maxResponseBytes }),
  }
}

const collectedV1 = async (
  reply: Reply,
  answer: V1Item['answer'],
  { requestId, mostBytes }: Readonly<{ requestId: string; mostBytes: number }>,
): Promise<ItemReply> => {
  let finishReason: FinishReason = 'stop'
  const watched = tap(bounded(reply, mostBytes), {
    onEvents: events => {
      for (const event of events) if (event.type === 'finish') finishReason = event.reason
    },
  })
  const json = await answer(watched)
  return {
    content: '',
    finishReason,
    truncated: false,
    ...accountOf(reply, await reply.usage),
    v1: { requestId, json },
  }
}

/** The fault of a request to `/v1`, with everything that the error of its route consists of. */
const v1Fault = (
  fault: ItemError,
  { refusal, unknownModel, details }: GatewayError,
  requestId: string,
): ItemError => ({
  ...fault,
  v1: {
    requestId,
    ...(unknownModel && { unknownModel }),
    ...(refusal && { refusal }),
    ...(details && { details }),
  },
})

/** Runs an item of an evaluation. */
const runEvaluation = async (
  claim: Claim,
  request: EvaluationRequest,
  signal: AbortSignal,
  deps: RunDeps,
): Promise<Outcome> => {
  const context = contextFor(claim, signal, deps)
  const item = deps.evaluation(context, request, claim.index)
  try {
    return { state: 'succeeded', answer: await item.run() }
  } catch (thrown) {
    const error = toGatewayError(thrown)
    // Failed calls are recorded where they are made.
    if (error.code === 'INTERNAL_ERROR') await deps.onEnd(context, error)
    const { shared, random, hasOthers } = deps
    return retryDecision(error, claim, { now: shared.now(), random, hasOthers, hasAsked: item.hasAsked })
  }
}

/** Runs an item through the same pipeline as any other call, with a request context of its own. */
export const running =
  (deps: RunDeps): RunItem =>
  async (claim, signal): Promise<Outcome> => {
    const { open, shared, random, hasOthers, onEnd } = deps
    if (isPoisonItem(claim))
      return { state: 'failed', fault: { code: 'INTERNAL_ERROR', message: POISON_ITEM, retryable: true } }
    const work = open(signal)
    const { request } = claim
    let context: RequestContext | undefined
    let call: Call | undefined
    let record: Promise<void> | undefined
    try {
      if (isEvaluationRequest(request)) return await runEvaluation(claim, request, work.signal, deps)
      context = contextFor(claim, work.signal, deps)
      const made = prepared(claim, request, context, deps)
      const item = made instanceof Promise ? await made : made
      call = item.call
      const answer = await item.collect(await deps.answer(call))
      record = onEnd(call, undefined)
      return { state: 'succeeded', answer }
    } catch (thrown) {
      const error = toGatewayError(thrown)
      if (context) record = onEnd(call ?? context, error)
      const outcome = retryDecision(error, claim, {
        now: shared.now(),
        random,
        hasOthers,
        hasAsked: call !== undefined && call.attempts.made.length > 0,
      })
      if (outcome.state !== 'failed' || !context || !isV1Request(request)) return outcome
      return { ...outcome, fault: v1Fault(outcome.fault, error, context.requestId) }
    } finally {
      work.close(record)
    }
  }
