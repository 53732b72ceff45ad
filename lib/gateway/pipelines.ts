import { type AuthDeps, authenticate } from '../auth/policy.ts'
import type { TokenDeps } from '../auth/token.ts'
import { administer } from '../auth/token.ts'
import { type CacheDeps, cache } from '../cache/policy.ts'
import type { Clock } from '../clock.ts'
import { compose, type Handler, type Policy } from '../compose.ts'
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

/** What a call comes from: a client's chat, an item of a batch, or the cache that fetches an answer again. */
type Source = 'chat' | 'batch' | 'refresh'
type Step = readonly [sources: readonly Source[], policy: Policy<Call, Reply>]

const ALL = ['chat', 'batch', 'refresh'] as const
const CHAT_AND_BATCH = ['chat', 'batch'] as const
const CHAT = ['chat'] as const
const BATCH = ['batch'] as const

/**
 * What happens to a call, in order. An item's owner was let in with its job, and an attempt of it is one attempt. What
 * the cache fetches again goes on below the cache, in the pipeline of the call that gave the occasion.
 */
const sentence = (g: PipelineDeps): readonly Step[] => [
  [ALL, record()], //                                   write down what the call was answered with
  [CHAT, authenticate(g.auth)], //                      who is asking
  [CHAT, limit(g.limits)], //                           may they ask now
  [CHAT, resume(g.streams)], //                         may the answer outlive its connection
  [ALL, meter(g.prices)], //                            what it cost, repeated answers included
  [CHAT_AND_BATCH, cache(g.cache)], //                  has it been answered
  [CHAT_AND_BATCH, truncate()], //                      never more than the caller can take
  [CHAT_AND_BATCH, route(g.routes)], //                 which models should answer, best first
  [BATCH, deferBackground(g.headrooms, g.clock)], //    leave what providers have left to live calls
  [CHAT_AND_BATCH, fallback(g.fallbacks)], //           and if that model cannot, which next
  [CHAT, hedge(g.hedges)], //                           and a second one beside it, if it is slow
  [CHAT, retry(g.retries, g.budgetOf)], //              once more, where it may have been bad luck
  [CHAT_AND_BATCH, breaker(g.circuitOf, g.cooldowns)], // no calls to what keeps failing, or asks for a pause
  [CHAT_AND_BATCH, bulkhead(g.slots, g.clock, g.bulkheadOf)], // never too many at once
  [CHAT_AND_BATCH, timeout(g.timeouts, g.clock)], //    nor for too long
]

const policiesFor = (source: Source, g: PipelineDeps): readonly Policy<Call, Reply>[] =>
  sentence(g).flatMap(([sources, policy]) => (sources.includes(source) ? [policy] : []))

export const chatPipeline = (g: PipelineDeps): Handler<Call, Reply> =>
  compose(...policiesFor('chat', g))(ask(g.providers))

export const batchPipeline = (g: PipelineDeps): Handler<Call, Reply> =>
  compose(...policiesFor('batch', g))(ask(g.providers))

/** For answers that are fetched again: around the rest of the pipeline, of which the cache is asked anew. */
export const refreshPipeline = (g: PipelineDeps): ((answer: Handler<Call, Reply>) => Handler<Call, Reply>) =>
  compose(...policiesFor('refresh', g))

/** What happens to every other request before it is served: it comes back knowing its caller. */
export const admission = (g: PipelineDeps): Handler<RequestContext, RequestContext> =>
  compose<RequestContext, RequestContext>(authenticate(g.auth), limit(g.limits))(async context => context)

/** What happens to a request of the admin API. Wrong tokens have a limit of their own, which is never switched off. */
export const adminAdmission = (g: PipelineDeps): Handler<RequestContext, RequestContext> =>
  compose<RequestContext, RequestContext>(limit(g.limits), administer(g.admin))(async context => context)
