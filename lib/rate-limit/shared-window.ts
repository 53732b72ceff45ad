import { Ratelimit, type RatelimitConfig } from '@upstash/ratelimit'
import { LRUCache } from 'lru-cache'
import { type RedisClient, script } from '../storage/redis/client.ts'
import type { Bucket, Counter, Taking } from './counter.ts'
import { TAKE_SOURCE } from './shared-window-script.ts'

type Algorithm = RatelimitConfig['limiter']
type Response = Awaited<ReturnType<Ratelimit['limit']>>
type Shape = readonly Readonly<{ limit: number; windowMs: number }>[]
type WindowState = Omit<Taking, 'bucket' | 'allowed'>
type ScriptReply = Response & Readonly<{ states: readonly WindowState[] }>

const TAKE = script('take', TAKE_SOURCE)
/** Slots, as in memory: up to this limit a taking counts for exactly its window, above it at most 1/240 longer. */
const SLOTS_PER_WINDOW = 240
const FIGURES_PER_BUCKET = 3
const MOST_SHAPES = 1_000
/** Separates the parts of the identifier that is passed to the limiter. */
const BETWEEN_KEYS = '\n'

const isListOfNumbers = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every(number => Number.isSafeInteger(number))

const decisionOf = (reply: unknown, shape: Shape): ScriptReply => {
  if (!isListOfNumbers(reply) || reply.length !== 1 + shape.length * FIGURES_PER_BUCKET)
    throw new Error('Redis returned an unexpected result')
  const states = shape.map((_, index): WindowState => {
    const [remaining = 0, resetMs = 0, waitMs = 0] = reply.slice(1 + index * FIGURES_PER_BUCKET)
    return { remaining, resetMs, waitMs }
  })
  const limit = Math.min(...shape.map(bucket => bucket.limit))
  const remaining = Math.min(...states.map(state => state.remaining))
  const reset = Math.max(...states.map(state => state.resetMs))
  return { success: reply[0] === 1, limit, remaining, reset, pending: Promise.resolve(), states }
}

const asScriptReply = (response: Response): ScriptReply => {
  if (!('states' in response)) throw new Error('the limiter decided without Redis')
  return response as ScriptReply
}

/** The part of an Upstash client that a limiter uses, over any Redis. */
const clientOf = (redis: RedisClient): RatelimitConfig['redis'] => {
  const client = {
    evalsha: (_sha1: string, keys: string[], args: number[]) => redis.run(TAKE, keys, args),
    get: (key: string) => redis.get(key),
    set: (key: string, value: string, { px }: { px: number }) => redis.set(key, value, px),
    del: (...keys: string[]) => Promise.all(keys.map(key => redis.delete(key))),
  }
  return client as unknown as RatelimitConfig['redis']
}

/** What an identifier holds, to which the limiter has added its prefix once: `takenForMs`, and the keys. */
const partsOf = (prefix: string, identifier: string) => {
  const [takenForMs, ...keys] = identifier.slice(prefix.length + 1).split(BETWEEN_KEYS)
  return { takenForMs: Number(takenForMs), keys: keys.map(key => `${prefix}:${key}`) }
}

/**
 * A limiting algorithm in addition to those of @upstash/ratelimit: they use one bucket, by the gateway's own clock, and
 * may charge for refused requests. `reset` is in milliseconds from now.
 */
const slidingLog = (shape: Shape): Algorithm => {
  const numbers = shape.flatMap(({ limit, windowMs }) => [limit, windowMs])
  const algorithm: ReturnType<Algorithm> = {
    async limit({ redis, prefix }, identifier, cost = 1): Promise<ScriptReply> {
      const { takenForMs, keys } = partsOf(prefix, identifier)
      const figures = [cost, SLOTS_PER_WINDOW, takenForMs, ...numbers]
      return decisionOf(await redis.evalsha(TAKE.sha1, keys, figures), shape)
    },
    getRemaining: (context, identifier) => algorithm.limit(context, identifier, 0),
    async resetTokens({ redis, prefix }, identifier) {
      await redis.del(...partsOf(prefix, identifier).keys)
    },
  }
  return () => algorithm
}

const limiterOf = (redis: RedisClient, shape: Shape, prefix: string): Ratelimit =>
  new Ratelimit({
    redis: clientOf(redis),
    limiter: slidingLog(shape),
    prefix,
    // Its own timeout would allow everything with a limit of 0, and its cache is unbounded.
    timeout: 0,
    ephemeralCache: false,
    analytics: false,
    enableTelemetry: false,
  })

/**
 * A sliding window in a Redis that several gateways share: one script, one round trip, whatever the number of buckets.
 * It counts in Redis' time, and takes only the time between `takenAt` and `now` from the gateway's. Rejects when Redis is unavailable.
 *
 * @param prefix precedes every key, followed by a colon
 */
export const sharedWindow = (redis: RedisClient, prefix: string): Counter => {
  const limiters = new LRUCache<string, Ratelimit>({ max: MOST_SHAPES })

  const limiterFor = (buckets: readonly Bucket[]): Ratelimit => {
    const name = buckets.map(({ limit, windowMs }) => `${limit}/${windowMs}`).join()
    const limiter = limiters.get(name) ?? limiterOf(redis, buckets, prefix)
    limiters.set(name, limiter)
    return limiter
  }

  return {
    async take(buckets, cost, now, takenAt = now) {
      if (buckets.length === 0) return []
      const takenForMs = Math.floor(Math.max(0, now - takenAt))
      const identifier = [takenForMs, ...buckets.map(({ key }) => key)].join(BETWEEN_KEYS)
      const { success, states } = asScriptReply(await limiterFor(buckets).limit(identifier, { rate: cost }))
      return buckets.map(
        (bucket, index): Taking => ({
          bucket,
          allowed: success,
          remaining: states[index]?.remaining ?? 0,
          resetMs: states[index]?.resetMs ?? 0,
          waitMs: states[index]?.waitMs ?? 0,
        }),
      )
    },
  }
}
