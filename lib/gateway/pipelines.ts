import { asKeyOfBatch, type BatchItemDeps } from '../auth/batch-items.ts'
import { fallbacksInScope, type ModelScopeDeps, modelScope } from '../auth/models.ts'
import { type AuthDeps, authenticate } from '../auth/policy.ts'
import { admins, members, type RoleDeps, switchedOn } from '../auth/roles.ts'
import { type ReserveDeps, reserve, type SpentOutDeps, spentOut } from '../budgets/reserve.ts'
import { type CacheDeps, cache } from '../cache/policy.ts'
import type { Clock } from '../clock.ts'
import { compose, type Handler, type Policy } from '../compose.ts'
import { allowedTargets } from '../guardrails/allowed-models.ts'
import { answerSchema } from '../guardrails/answer-schema.ts'
import { guardInput } from '../guardrails/input.ts'
import { guardOutput } from '../guardrails/output/output.ts'
import { systemPrompt } from '../guardrails/system-prompt.ts'
import { meter, type Prices } from '../ledger/meter.ts'
import { type AskDeps, ask } from '../llm/ask.ts'
import { truncate } from '../llm/truncate.ts'
import type { Call, Reply } from '../llm/types.ts'
import { record } from '../observability/request-record.ts'
import {
  type ConcurrencyDeps,
  keyConcurrency,
  keyTokens,
  type TokenLimitDeps,
} from '../rate-limit/key-limits.ts'
import { type LimitDeps, limit, spend } from '../rate-limit/policy.ts'
import type { RequestContext } from '../request-context.ts'
import { breaker, type Circuits } from '../resilience/breaker/circuit.ts'
import { bulkhead, type bulkheads } from '../resilience/bulkhead.ts'
import { deferBackground, type RateHeadrooms } from '../resilience/defer-background.ts'
import { type Hedges, hedge } from '../resilience/hedge.ts'
import type { Cooldowns } from '../resilience/per-target.ts'
import { type Retries, retry, type retryBudgets } from '../resilience/retry.ts'
import { type Timeouts, timeout } from '../resilience/timeout.ts'
import { resume } from '../resume/policy.ts'
import type { Streams } from '../resume/streams.ts'
import { type Fallbacks, fallback, type Routes, route } from '../routing/route.ts'
import type { LoopDeps } from '../tools/loop/loop.ts'
import { tools } from '../tools/loop/policy.ts'
import type { Guardrails } from './guardrails.ts'

export type PipelineDeps = Readonly<{
  auth: AuthDeps
  roles: RoleDeps
  batchItems: BatchItemDeps
  modelScopes: ModelScopeDeps
  limits: LimitDeps
  concurrency: ConcurrencyDeps
  tokens: TokenLimitDeps
  /** Absent where no budget can apply. */
  budgets: (ReserveDeps & SpentOutDeps) | undefined
  prices: Prices
  guardrails: Guardrails
  /** Absent where caching is switched off. */
  cache: CacheDeps | undefined
  /** Absent where no stream outlives its connection. */
  streams: Streams | undefined
  /** The gateway's own tools. */
  tools: LoopDeps
  routes: Routes
  fallbacks: Fallbacks
  /** Absent where hedging is switched off. */
  hedges: Hedges | undefined
  retries: Retries
  circuitOf: Circuits
  cooldowns: Cooldowns
  budgetOf: ReturnType<typeof retryBudgets>
  bulkheadOf: ReturnType<typeof bulkheads>
  timeouts: Timeouts
  /** The providers' remaining rate limits, as background work last saw them. */
  headrooms: RateHeadrooms
  providers: AskDeps
  clock: Clock
}>

/**
 * The source of a call: a client's chat, one whose stream outlives its connection, an upload whose files are on disk, an
 * item of a batch, or the refresh of a cached answer.
 */
type Source = 'chat' | 'resumable' | 'upload' | 'batch' | 'refresh'
type Step = readonly [sources: readonly Source[], policy: Policy<Call, Reply> | undefined]

const ALL = ['chat', 'resumable', 'upload', 'batch', 'refresh'] as const
const CHAT_AND_BATCH = ['chat', 'resumable', 'upload', 'batch'] as const
const LIVE = ['chat', 'resumable', 'upload'] as const
const CHAT = ['chat', 'resumable'] as const
const CONVERSING = ['chat', 'resumable', 'batch'] as const
const RESUMABLE = ['resumable'] as const
const BATCH = ['batch'] as const

/**
 * The steps of a call, in order. Its caller was admitted before its body was read, an item's owner with its job. A run
 * of an item tries each target once. A refresh enters below the cache, in the pipeline of the call that triggered it.
 */
const stepsOf = (deps: PipelineDeps, rules: Guardrails = deps.guardrails): readonly Step[] => [
  [ALL, record()], //                                   record the answer
  [BATCH, asKeyOfBatch(deps.batchItems)], //               run as the key that submitted it
  [CHAT_AND_BATCH, modelScope(deps.modelScopes)], //       refuse models that the key may not use
  [CHAT_AND_BATCH, spentOut(deps.budgets)], //             refuse a caller whose budget is spent
  [CHAT_AND_BATCH, keyConcurrency(deps.concurrency)], //   bound the calls in progress of a key
  [CHAT_AND_BATCH, keyTokens(deps.tokens)], //             and its tokens a minute
  [LIVE, spend()], //                                      count it against the rate limits, unless it is refused
  [RESUMABLE, deps.streams && resume(deps.streams)], //    let the stream outlive its connection
  [CHAT_AND_BATCH, rules.input && guardInput(rules.input)], // look at what is asked
  [CHAT_AND_BATCH, rules.systemPrompts && systemPrompt(rules.systemPrompts)], // put the operator's system prompt first
  [ALL, meter(deps.prices)], //                            compute the cost, cached answers included
  [CHAT_AND_BATCH, cache(deps.cache)], //                  reuse a stored answer
  [CHAT_AND_BATCH, rules.output && guardOutput(rules.output)], // look at what is answered
  [CHAT_AND_BATCH, truncate()], //                      bound the answer's size
  [CONVERSING, rules.answerSchemas && answerSchema(rules.answerSchemas)], // check it against its schema, repair once
  [CONVERSING, tools(deps.tools)], //                      run the gateway's own tools for the model
  [CHAT_AND_BATCH, route(deps.routes)], //                 choose the targets, best first
  [CHAT_AND_BATCH, fallbacksInScope(deps.modelScopes)], // and keep to them
  [CHAT_AND_BATCH, rules.allowedModels && allowedTargets(rules.allowedModels)], // and to those that the rules allow
  [BATCH, deferBackground(deps.headrooms, deps.clock)], //    reserve remaining rate limits for live calls
  [CHAT_AND_BATCH, fallback(deps.fallbacks)], //           on failure, try the next target
  [CHAT, deps.hedges && hedge(deps.hedges)], //                           start a second attempt beside a slow one
  [LIVE, retry(deps.retries, deps.budgetOf)], //              retry transient failures
  [CHAT_AND_BATCH, reserve(deps.budgets)], //              reserve the money of one attempt, and settle it
  [CHAT_AND_BATCH, breaker(deps.circuitOf, deps.cooldowns)], // skip failing targets, and those in cooldown
  [CHAT_AND_BATCH, bulkhead(deps.bulkheadOf)], // bound concurrent calls
  [CHAT_AND_BATCH, timeout(deps.timeouts, deps.clock)], //    bound the time of an attempt
]

/** The pipelines of all sources, from the same steps. */
export type Pipelines = Readonly<{
  chat: Handler<Call, Reply>
  resumable: Handler<Call, Reply>
  upload: Handler<Call, Reply>
  batch: Handler<Call, Reply>
  /** Wraps the rest of the pipeline, below the cache. */
  refresh: (answer: Handler<Call, Reply>) => Handler<Call, Reply>
}>

export const pipelines = (deps: PipelineDeps): Pipelines => {
  const steps = stepsOf(deps)
  const policiesOf = (source: Source) =>
    steps.flatMap(([sources, policy]) => (policy && sources.includes(source) ? [policy] : []))
  const innermost = ask(deps.providers)
  return {
    chat: compose(...policiesOf('chat'))(innermost),
    resumable: compose(...policiesOf('resumable'))(innermost),
    upload: compose(...policiesOf('upload'))(innermost),
    batch: compose(...policiesOf('batch'))(innermost),
    refresh: compose(...policiesOf('refresh')),
  }
}

/** The steps before a request is served, and its body read: they identify its caller and check the rate limits. */
export const admission = (deps: PipelineDeps): Handler<RequestContext, RequestContext> =>
  compose<RequestContext, RequestContext>(
    authenticate(deps.auth),
    limit(deps.limits),
  )(async context => context)

/** The steps before a request that needs a key of any role. */
export const memberAdmission = (deps: PipelineDeps): Handler<RequestContext, RequestContext> =>
  compose<RequestContext, RequestContext>(
    authenticate(deps.auth, true),
    members(),
    limit(deps.limits),
  )(async context => context)

/** The steps before a request to the admin API. Wrong credentials have a limit of their own, which is always on. */
export const adminAdmission = (deps: PipelineDeps): Handler<RequestContext, RequestContext> =>
  compose<RequestContext, RequestContext>(
    switchedOn(deps.roles),
    authenticate(deps.auth, true),
    admins(),
    limit(deps.limits),
  )(async context => context)
