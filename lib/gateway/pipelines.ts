import { administer } from '../auth/admin.ts'
import { type AuthDeps, authenticate } from '../auth/policy.ts'
import type { TokenDeps } from '../auth/token.ts'
import { type CacheDeps, cache } from '../cache/policy.ts'
import type { Clock } from '../clock.ts'
import { compose, type Handler } from '../compose.ts'
import { meter, type Prices } from '../ledger/meter.ts'
import { type AskDeps, ask } from '../llm/ask.ts'
import { truncate } from '../llm/truncate.ts'
import type { Call, Reply } from '../llm/types.ts'
import { observe } from '../observability/observe.ts'
import { type LimitDeps, limit } from '../rate-limit/policy.ts'
import type { RequestContext } from '../request-context.ts'
import { breaker, type Circuits } from '../resilience/breaker/policy.ts'
import { bulkhead, type bulkheads, type Slots } from '../resilience/bulkhead.ts'
import type { Cooldowns } from '../resilience/cooldowns.ts'
import { deferBackground, type RateHeadrooms } from '../resilience/defer-background.ts'
import { type Hedges, hedge } from '../resilience/hedge.ts'
import { type Retries, retry, type retryBudgets } from '../resilience/retry.ts'
import { type Timeouts, timeout } from '../resilience/timeout.ts'
import { resume } from '../resume/policy.ts'
import type { Streams } from '../resume/streams.ts'
import { type Fallbacks, fallback } from '../routing/fallback.ts'
import { type Routes, route } from '../routing/route.ts'

export type PipelineDeps = Readonly<{
  auth: AuthDeps
  /** Without a token the admin API is switched off. */
  admin: TokenDeps
  /** Absent where rate limiting is switched off. */
  limits: LimitDeps | undefined
  prices: Prices
  /** Absent where caching is switched off. */
  cache: CacheDeps | undefined
  /** Absent where no stream outlives its connection. */
  streams?: Streams
  routes: Routes
  fallbacks: Fallbacks
  /** Absent where hedging is switched off. */
  hedges: Hedges | undefined
  retries: Retries
  circuitOf: Circuits
  cooldowns: Cooldowns
  slots: Slots
  /** State that survives a reload; a pipeline's own when absent. */
  budgetOf?: ReturnType<typeof retryBudgets>
  bulkheadOf?: ReturnType<typeof bulkheads>
  timeouts: Timeouts
  /** The providers' remaining rate limits, as far as background work has seen them. */
  headrooms: RateHeadrooms
  providers: AskDeps
  clock: Clock
}>

/** The steps of a chat call, in order. */
export const chatPipeline = (g: PipelineDeps): Handler<Call, Reply> =>
  compose<Call, Reply>(
    observe(), // record every call once, whatever its outcome
    authenticate(g.auth), // identify the caller
    limit(g.limits), // check the rate limits
    resume(g.streams), // let the stream outlive its connection
    meter(g.prices), // compute the cost, cached answers included
    cache(g.cache), // reuse a stored answer
    truncate(), // bound the answer's size
    route(g.routes), // choose the targets, best first
    fallback(g.fallbacks), // on failure, the next target
    hedge(g.hedges), // a second attempt beside a slow one
    retry(g.retries, g.budgetOf), // retry transient failures
    breaker(g.circuitOf, g.cooldowns), // skip failing targets, and those in cooldown
    bulkhead(g.slots, g.clock, g.bulkheadOf), // bound concurrent calls
    timeout(g.timeouts, g.clock), // bound the time of an attempt
  )(ask(g.providers)) // call the provider

/** The steps of a batch item: its caller was admitted at submission. A run of it makes a single attempt. */
export const batchPipeline = (g: PipelineDeps): Handler<Call, Reply> =>
  compose<Call, Reply>(
    observe(),
    meter(g.prices),
    cache(g.cache),
    truncate(),
    route(g.routes),
    deferBackground(g.headrooms, g.clock), // reserve the providers' remaining limits for live calls
    fallback(g.fallbacks),
    breaker(g.circuitOf, g.cooldowns),
    bulkhead(g.slots, g.clock, g.bulkheadOf),
    timeout(g.timeouts, g.clock),
  )(ask(g.providers))

/** The steps before any other request is served: they identify its caller. */
export const admission = (g: PipelineDeps): Handler<RequestContext, RequestContext> =>
  compose<RequestContext, RequestContext>(authenticate(g.auth), limit(g.limits))(async context => context)

/** The steps before a request to the admin API. Wrong tokens have a limit of their own, which is never switched off. */
export const adminAdmission = (g: PipelineDeps): Handler<RequestContext, RequestContext> =>
  compose<RequestContext, RequestContext>(limit(g.limits), administer(g.admin))(async context => context)
