import type { Clock } from '../clock.ts'
import type { Environment } from '../config/schema.ts'
import type { Logger } from '../observability/logger.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { RedisMetrics } from '../observability/redis-metrics.ts'
import type { Counter } from '../rate-limit/counter.ts'
import { fallingBack } from '../rate-limit/falling-back.ts'
import type { KeySlots } from '../rate-limit/slots.ts'
import { Circuit } from '../resilience/breaker/circuit.ts'
import { consecutive } from '../resilience/breaker/trip-condition.ts'
import { type SharedCircuits, sharedCircuits } from '../resilience/shared-circuits.ts'
import type { RedisClient } from '../storage/redis/client.ts'
import { GuardedRedis, type RedisStatus } from '../storage/redis/guard.ts'
import { redisKeyValue } from '../storage/redis/key-value.ts'
import { Peers } from '../storage/redis/peers.ts'
import type { KeyValue } from '../storage/types.ts'

/** The state that several gateways share, where a Redis is configured. Each part falls back to this gateway's own. */
export type SharedState = Readonly<{
  counter: (local: Counter) => Counter
  /** The calls in progress of keys; those of this process while Redis fails. */
  slots: (local: KeySlots) => KeySlots
  keyValue: (memory: KeyValue) => KeyValue
  /** This gateway's share of something that all together may have `most` of. */
  shareOf: (most: number) => number
  circuits: SharedCircuits
  status: () => RedisStatus
}>

export type RedisWiringDeps = Readonly<{ env: Environment; clock: Clock; logger: Logger; metrics: Metrics }>

const PREFIX = 'parley:'
/** Share of the usual deadline that applies from a missed one until Redis has replied again. */
const SHORT_DEADLINE = 0.4
const FAILURES = 10
const OPEN_MS = 5_000
const LONGEST_OPEN_MS = 60_000
/** How long a start waits for Redis before it continues without. */
const START_MS = 500
const BEAT_MS = 1_000
const WARNED_AGAIN_AFTER_MS = 60_000
/** How often a Redis service that bills every command is polled. */
const UPSTASH_BEAT_MS = 5_000

const clientOf = async (
  { REDIS_URL, REDIS_TIMEOUT_MS, UPSTASH_REDIS_REST_URL, UPSTASH_REDIS_REST_TOKEN }: Environment,
  clock: Clock,
): Promise<{ client: RedisClient; beatMs: number } | undefined> => {
  if (REDIS_URL) {
    const { redisOverSocket } = await import('../storage/redis/over-socket.ts')
    return { client: redisOverSocket({ url: REDIS_URL, clock }), beatMs: BEAT_MS }
  }
  if (UPSTASH_REDIS_REST_URL && UPSTASH_REDIS_REST_TOKEN) {
    const { upstashRedis } = await import('../storage/redis/upstash.ts')
    const access = { url: UPSTASH_REDIS_REST_URL, token: UPSTASH_REDIS_REST_TOKEN }
    return { client: upstashRedis({ ...access, requestMs: 2 * REDIS_TIMEOUT_MS }), beatMs: UPSTASH_BEAT_MS }
  }
  return undefined
}

/** A probe is one small command for which no request waits: it needs no growing delay. */
const circuitOf = ({ clock, logger }: RedisWiringDeps, figures: RedisMetrics): Circuit =>
  new Circuit({
    tripCondition: consecutive(FAILURES),
    openMs: OPEN_MS,
    longestOpenMs: LONGEST_OPEN_MS,
    probeAgainMs: OPEN_MS,
    clock,
    random: () => 0,
    onChange: state => {
      figures.circuitChanged(state.name)
      if (state.name === 'half-open' || (state.name === 'open' && state.openedBy === 'probe')) return
      if (state.name === 'closed')
        logger.info({ component: 'redis', circuit: state.name }, 'Redis is reachable again')
      else
        logger.warn(
          { component: 'redis', circuit: state.name, reason: state.reason },
          'Redis is failing: this gateway continues with its own memory',
        )
    },
  })

/** A Redis that answers but refuses (out of memory, read-only) may never open its circuit: that is reported too. */
const throttledWarnings = ({
  clock,
  logger,
}: RedisWiringDeps): ((operation: string, reason?: string) => void) => {
  const lastWarnedAt = new Map<string, number>()
  return (operation, reason) => {
    const now = clock.now()
    if (now - (lastWarnedAt.get(operation) ?? Number.NEGATIVE_INFINITY) < WARNED_AGAIN_AFTER_MS) return
    lastWarnedAt.set(operation, now)
    logger.warn({ component: 'redis', reason: `${operation}: ${reason}` }, 'Redis command failed')
  }
}

const withTimeout = (clock: Clock, limitMs: number, work: Promise<unknown>): Promise<unknown> =>
  Promise.race([work, new Promise<void>(resolve => clock.timer(limitMs, resolve))])

/**
 * Connects to the configured Redis; undefined where none is configured. Never fails: Redis may become available later.
 */
export const connectRedis = async (deps: RedisWiringDeps): Promise<SharedState | undefined> => {
  const { env, clock, metrics } = deps
  const access = await clientOf(env, clock)
  if (!access) return undefined
  const { sharedWindow } = await import('../rate-limit/shared-window.ts')
  const { sharedSlots } = await import('../rate-limit/shared-slots.ts')
  const { client, beatMs } = access
  const figures = metrics.ofRedis(() => peers.count)
  const warn = throttledWarnings(deps)
  const redis: GuardedRedis = new GuardedRedis({
    client,
    circuit: circuitOf(deps, figures),
    clock,
    deadlineMs: env.REDIS_TIMEOUT_MS,
    shortDeadlineMs: env.REDIS_TIMEOUT_MS * SHORT_DEADLINE,
    listener: (operation, result, tookMs) => {
      figures.operationEnded(operation, result, tookMs)
      const { circuit, failing } = redis.status
      if (result === 'failed' && circuit.name === 'closed') warn(operation, failing.get(operation))
    },
  })
  const circuits = sharedCircuits((notice, holdsForMs) => void peers.send(notice, holdsForMs), clock)
  const peers: Peers = new Peers({
    redis,
    id: crypto.randomUUID(),
    prefix: PREFIX,
    beatMs,
    clock,
    onNotice: circuits.receive,
  })
  await withTimeout(clock, START_MS, redis.opened())
  await peers.start()
  const shareOf = (most: number): number => Math.max(1, Math.floor(most / peers.count))
  return {
    slots: local => sharedSlots({ redis, local, shareOf, prefix: `${PREFIX}slots:`, clock }),
    counter: local =>
      fallingBack({ shared: sharedWindow(redis, `${PREFIX}limit`), local, gateways: () => peers.count }),
    keyValue: memory => redisKeyValue(redis, memory, `${PREFIX}cache:`),
    shareOf,
    circuits,
    status: () => redis.status,
  }
}
