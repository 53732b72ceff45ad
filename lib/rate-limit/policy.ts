import { type Caller, countedKeysOf, unknownCaller } from '../caller.ts'
import type { Clock } from '../clock.ts'
import type { Policy } from '../compose.ts'
import { GatewayError } from '../errors.ts'
import {
  type AttemptBudget,
  type LimitState,
  type RequestContext,
  type Reservation,
  type Surface,
  waited,
} from '../request-context.ts'
import type { Bucket, Counter, Taking } from './counter.ts'

/** A number of requests in any window of a length. */
export type Rate = Readonly<{ limit: number; windowMs: number }>

export type RatesByCaller = Readonly<{ anonymous: Rate; guest: Rate; key: Rate }>

export type RateLimits = Readonly<{
  chat: RatesByCaller
  images: Rate
  upload: Rate
  /** Items of jobs submitted as JSON. */
  batchItems: RatesByCaller
  /** Values of callers. */
  kv: Rate
  /** Evaluations, and the runs of data sets. */
  evaluation: Rate
  /** Every other route. */
  api: Rate
}>

export type LimitDeps = Readonly<{
  /** Undefined where rate limiting is switched off: then only the own limits of keys apply. */
  rates: RateLimits | undefined
  counter: Counter
  clock: Clock
}>

export const MINUTE_MS = 60_000

/** All guests of one address together have this many times the rate of one. */
const GUESTS_PER_ADDRESS = 4

const bucketOf = (key: string, { limit, windowMs }: Rate, times = 1): Bucket => ({
  key,
  limit: limit * times,
  windowMs,
})

/** The buckets of a key for its calls, and of those that made it: by the own limit of each, where it has one. */
const chatBuckets = (caller: Caller, usual: Rate | undefined): readonly Bucket[] =>
  countedKeysOf(caller).flatMap(({ id, limits }) => {
    const limit = limits?.requestsPerMinute
    const rate = limit === undefined ? usual : { limit, windowMs: MINUTE_MS }
    return rate ? [bucketOf(`chat:key:${id}`, rate)] : []
  })

const bucketsOf = (surface: Surface, caller: Caller, rates: RateLimits | undefined): readonly Bucket[] => {
  if (surface === 'chat' && caller.kind === 'key') return chatBuckets(caller, rates?.chat.key)
  return rates ? bucketsByCaller(surface, caller, ratesOf(surface, rates)) : []
}

/**
 * The buckets of what a caller does on its own rates. Guest sessions are free, so those of one address share a bucket
 * too, with `GUESTS_PER_ADDRESS` times the rate of one; so do a key and those that it made.
 */
export const bucketsByCaller = (name: string, caller: Caller, rates: RatesByCaller): readonly Bucket[] => {
  switch (caller.kind) {
    case 'anonymous':
      return [bucketOf(`${name}:${caller.address}`, rates.anonymous)]
    case 'guest':
      return [
        bucketOf(`${name}:guest:${caller.id}`, rates.guest),
        bucketOf(`${name}:guests:${caller.address}`, rates.guest, GUESTS_PER_ADDRESS),
      ]
    case 'key':
      return countedKeysOf(caller).map(({ id }) => bucketOf(`${name}:key:${id}`, rates.key))
    default:
      return unknownCaller(caller)
  }
}

const ratesOf = (surface: Surface, rates: RateLimits): RatesByCaller => {
  if (surface === 'chat') return rates.chat
  const rate = rates[surface]
  return { anonymous: rate, guest: rate, key: rate }
}

/** The bucket that refuses, or else the one with the least remaining, which is reported to the client. */
export const tightest = (takings: readonly Taking[]): Taking | undefined =>
  takings.toSorted((a, b) => b.waitMs - a.waitMs || a.remaining - b.remaining)[0]

const seconds = (milliseconds: number): number => Math.max(1, Math.ceil(milliseconds / 1000))

export const stateOf = (name: string, taking: Taking): LimitState => ({
  name,
  limit: taking.bucket.limit,
  remaining: taking.remaining,
  windowSeconds: seconds(taking.bucket.windowMs),
  resetSeconds: seconds(taking.resetMs),
})

/** @param tooMany the beginning of the message: `Too many requests` */
export const rejection = (tooMany: string, { bucket, waitMs }: Taking): GatewayError => {
  const retryAfterSeconds = seconds(waitMs)
  return new GatewayError(
    'RATE_LIMITED',
    `${tooMany}: ${bucket.limit} in ${seconds(bucket.windowMs)} s are allowed. Try again in ${retryAfterSeconds} s.`,
    { retryAfterSeconds },
  )
}

/** Whether what was taken still counts. To return it later would return others' uses in its place. */
export const stillCounts = (takenAt: number, windowMs: number, now: number): boolean =>
  now - takenAt < windowMs

const reserved = (
  buckets: readonly Bucket[],
  { journal, surface }: RequestContext,
  { counter, clock }: LimitDeps,
): Reservation => {
  const takenAt = clock.now()
  const shortest = Math.min(...buckets.map(({ windowMs }) => windowMs))
  let isSettled = false
  return {
    spend() {
      isSettled = true
    },
    async release() {
      const now = clock.now()
      if (isSettled || !stillCounts(takenAt, shortest, now)) return
      isSettled = true
      const taking = tightest(await counter.take(buckets, -1, now, takenAt).catch(() => []))
      if (taking) journal.limit = stateOf(surface, taking)
    },
  }
}

/** Applies the rate limits to the caller. What it takes can be returned by the reservation of the context. */
export const limit = <In extends RequestContext, Out>(deps: LimitDeps): Policy<In, Out> =>
  async function limit(context, next) {
    const buckets = bucketsOf(context.surface, context.caller, deps.rates)
    if (buckets.length === 0) return await next(context)
    const askedAt = deps.clock.now()
    const taking = tightest(await deps.counter.take(buckets, 1, askedAt))
    waited(context.journal, 'limit', deps.clock.now() - askedAt)
    if (!taking) return await next(context)
    context.journal.limit = stateOf(context.surface, taking)
    if (taking.allowed) return await next({ ...context, reservation: reserved(buckets, context, deps) })
    throw rejection('Too many requests', taking)
  }

/** What a policy on calls has to know of them. */
type Counted = RequestContext & Readonly<{ attempts: Pick<AttemptBudget, 'made'> }>

/** Whether a failed call counts: an upstream was asked, or a guardrail has looked at what it brought and refused it. */
const countsAfter = (error: unknown, { attempts }: Counted): boolean =>
  attempts.made.length > 0 || (error instanceof GatewayError && error.code === 'CONTENT_BLOCKED')

/**
 * Lets a call count against the limits: one that is answered, from the cache too, or that fails after an attempt. One
 * that is refused before costs nothing, and its use can still be returned.
 */
export const spend = <In extends Counted, Out>(): Policy<In, Out> =>
  async function spend(call, next) {
    try {
      const answer = await next(call)
      call.reservation?.spend()
      return answer
    } catch (error) {
      if (countsAfter(error, call)) call.reservation?.spend()
      throw error
    }
  }
