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
  retryBudgetOf: ReturnType<typeof retryBudgets>
  bulkheadOf: ReturnType<typeof bulkheads>
  timeouts: Timeouts
  /** The providers' remaining rate limits, as the responses to background work last reported them. */
  headrooms: RateHeadrooms
  providers: AskDeps
  clock: Clock
}>

/**
 * The source of a call: a client's chat, an upload whose files are on disk, an item of a batch, or the refresh of a cached
 * answer.
 */
type Source = 'chat' | 'upload' | 'batch' | 'refresh'
type Step = readonly [sources: readonly Source[], policy: Policy<Call, Reply> | undefined]

const ALL = ['chat', 'upload', 'batch', 'refresh'] as const
const ALL_BUT_REFRESH = ['chat', 'upload', 'batch'] as const
const LIVE = ['chat', 'upload'] as const
const CONVERSING = ['chat', 'batch'] as const
const CHAT = ['chat'] as const
const BATCH = ['batch'] as const

/**
 * The steps of a call, in order. Its caller was admitted before its body was read, an item's owner with its job. A run
 * of an item tries each target once. A refresh enters below the cache, in the pipeline of the call that triggered it.
 */
const stepsOf = (deps: PipelineDeps): readonly Step[] => {
  const { guardrails, budgets } = deps
  return [
    // Record the answer.
    [ALL, record()],
    // Run as the key that submitted it.
    [BATCH, asKeyOfBatch(deps.batchItems)],
    // Refuse models that the key may not use.
    [ALL_BUT_REFRESH, modelScope(deps.modelScopes)],
    // Refuse a caller whose budget is spent.
    [ALL_BUT_REFRESH, budgets && spentOut(budgets)],
    // Bound the calls in progress of a key.
    [ALL_BUT_REFRESH, keyConcurrency(deps.concurrency)],
    // Bound the tokens of a key in a minute.
    [ALL_BUT_REFRESH, keyTokens(deps.tokens)],
    // Count it against the rate limits, unless it is refused.
    [LIVE, spend()],
    // Let a resumable stream outlive its connection.
    [CHAT, deps.streams && resume(deps.streams)],
    // Check what is asked.
    [ALL_BUT_REFRESH, guardrails.input && guardInput(guardrails.input)],
    // Put the operator's system prompt first.
    [ALL_BUT_REFRESH, guardrails.systemPrompts && systemPrompt(guardrails.systemPrompts)],
    // Compute the cost, cached answers included.
    [ALL, meter(deps.prices)],
    // Reuse a stored answer.
    [ALL_BUT_REFRESH, cache(deps.cache)],
    // Check what is answered.
    [ALL_BUT_REFRESH, guardrails.output && guardOutput(guardrails.output)],
    // Bound the answer's size.
    [ALL_BUT_REFRESH, truncate()],
    // Check the answer against its schema, and have it repaired once.
    [CONVERSING, guardrails.answerSchemas && answerSchema(guardrails.answerSchemas)],
    // Run the gateway's own tools for the model.
    [CONVERSING, tools(deps.tools)],
    // Choose the targets, best first.
    [ALL_BUT_REFRESH, route(deps.routes)],
    // Drop the fallbacks that the key may not use.
    [ALL_BUT_REFRESH, fallbacksInScope(deps.modelScopes)],
    // Drop the targets that the guardrails do not allow.
    [ALL_BUT_REFRESH, guardrails.allowedModels && allowedTargets(guardrails.allowedModels)],
    // Reserve remaining rate limits for live calls.
    [BATCH, deferBackground(deps.headrooms, deps.clock)],
    // On failure, try the next target.
    [ALL_BUT_REFRESH, fallback(deps.fallbacks)],
    // Start a second attempt beside a slow one.
    [CHAT, deps.hedges && hedge(deps.hedges)],
    // Retry transient failures.
    [LIVE, retry(deps.retries, deps.retryBudgetOf)],
    // Reserve the money of one attempt, and settle it.
    [ALL_BUT_REFRESH, budgets && reserve(budgets)],
    // Skip failing targets, and those in cooldown.
    [ALL_BUT_REFRESH, breaker(deps.circuitOf, deps.cooldowns)],
    // Bound concurrent calls.
    [ALL_BUT_REFRESH, bulkhead(deps.bulkheadOf)],
    // Bound the time of an attempt.
    [ALL_BUT_REFRESH, timeout(deps.timeouts, deps.clock)],
  ]
}

/** The pipelines of all sources, from the same steps. */
export type Pipelines = Readonly<{
  chat: Handler<Call, Reply>
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
