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
import { record } from '../observability/record.ts'
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
  /** Absent where no answer outlives its connection. */
  streams?: Streams
  routes: Routes
  fallbacks: Fallbacks
  /** Absent where hedging is switched off. */
  hedges: Hedges | undefined
  retries: Retries
  circuitOf: Circuits
  cooldowns: Cooldowns
  slots: Slots
  /** What outlives a change of settings; a pipeline's own when absent. */
  budgetOf?: ReturnType<typeof retryBudgets>
  bulkheadOf?: ReturnType<typeof bulkheads>
  timeouts: Timeouts
  /** What providers have left, as far as background work has seen it. */
  headrooms: RateHeadrooms
  providers: AskDeps
  clock: Clock
}>

/** What happens to a call, in order. */
export const chatPipeline = (g: PipelineDeps): Handler<Call, Reply> =>
  compose<Call, Reply>(
    record(), //                        write down what the answer was
    authenticate(g.auth), //            who is asking
    limit(g.limits), //                 may they ask now
    resume(g.streams), //               may it outlive its connection
    meter(g.prices), //                 what it cost, repeated answers included
    cache(g.cache), //                has it been answered
    truncate(), //                      never more than they can take
    route(g.routes), //                 who should answer, best first
    fallback(g.fallbacks), //           and if they cannot, who next
    hedge(g.hedges), //                 and a second one beside them, if they are slow
    retry(g.retries, g.budgetOf), //    once more, where it may have been bad luck
    breaker(g.circuitOf, g.cooldowns), // leave alone who keeps failing, or asks for it
    bulkhead(g.slots, g.clock, g.bulkheadOf), // never too many at once
    timeout(g.timeouts, g.clock), //    nor for too long
  )(ask(g.providers)) //                ask one of them

/** What happens to an item of a batch: whoever handed it in was let in then. An attempt of it is one attempt. */
export const batchPipeline = (g: PipelineDeps): Handler<Call, Reply> =>
  compose<Call, Reply>(
    record(),
    meter(g.prices),
    cache(g.cache),
    truncate(),
    route(g.routes),
    deferBackground(g.headrooms, g.clock), //  leave what providers have left to live calls
    fallback(g.fallbacks),
    breaker(g.circuitOf, g.cooldowns),
    bulkhead(g.slots, g.clock, g.bulkheadOf),
    timeout(g.timeouts, g.clock),
  )(ask(g.providers))

/** What happens to every other visit before it is served: it comes back knowing its caller. */
export const admission = (g: PipelineDeps): Handler<RequestContext, RequestContext> =>
  compose<RequestContext, RequestContext>(authenticate(g.auth), limit(g.limits))(async context => context)

/** What happens to a visit of the admin API. Wrong tokens have a limit of their own, which is never switched off. */
export const adminAdmission = (g: PipelineDeps): Handler<RequestContext, RequestContext> =>
  compose<RequestContext, RequestContext>(limit(g.limits), administer(g.admin))(async context => context)
