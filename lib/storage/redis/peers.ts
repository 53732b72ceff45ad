import { LRUCache } from 'lru-cache'
import type { Clock, Timer } from '../../clock.ts'
import { script } from './client.ts'
import type { GuardedRedis } from './guard.ts'

/**
 * Registers this gateway among those that share a Redis and reads their notices. KEYS: registrations, notices. ARGV:
 * own id, how long the own registration is valid (ms), how long registrations are kept at most (ms). Returns the number
 * of gateways, then each notice and for how many more milliseconds it is valid.
 */
const BEAT = script(
  'beat',
  `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
local reply = { redis.call('ZCARD', KEYS[1]) }
local notices = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. now, '+inf', 'WITHSCORES', 'LIMIT', 0, 1000)
for at = 1, #notices, 2 do
  reply[#reply + 1] = notices[at]
  reply[#reply + 1] = notices[at + 1] - now
end
return reply
`,
)

/** KEYS: notices. ARGV: a notice, for how long it is valid (ms), how long notices are kept at most (ms). */
const SEND = script(
  'tell',
  `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
`,
)

/** How long registrations and notices are kept in Redis after the last gateway. */
const KEPT_MS = 3_600_000
/** Most notices remembered, as many as a beat reads: clients choose their names, and without Redis none expires. */
const MOST_NOTICES = 1_000
const BEATS_PER_SEAT = 5
const SOONEST_MS = 10

export type PeersOptions = Readonly<{
  redis: GuardedRedis
  /** This gateway among the others. */
  id: string
  prefix: string
  /** How often it polls. */
  beatMs: number
  clock: Clock
  /** Called for each notice of another gateway, once. */
  onNotice: (notice: string, holdsForMs: number) => void
}>

/**
 * The gateways that share a Redis: their number, and their notices. It polls in the background, and no request waits
 * for it; its poll also detects that a failing Redis has recovered. While Redis is unavailable the last known state
 * applies.
 */
export class Peers {
  readonly #options: PeersOptions
  readonly #counts: number[] = []
  readonly #received = new LRUCache<string, number>({ max: MOST_NOTICES })
  #timer: Timer | undefined
  #stopped = false

  constructor(options: PeersOptions) {
    this.#options = options
  }

  /** The highest number of gateways in the last polls, including this one; at least 1. */
  get count(): number {
    return Math.max(1, ...this.#counts)
  }

  /** Polls now and periodically from then on. Resolves after the first poll; never rejects. */
  async start(): Promise<void> {
    await this.#beat().catch(() => {})
    if (!this.#stopped) this.#timer = this.#options.clock.timer(this.#nextMs(), () => void this.start())
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  /** Publishes a notice while it is valid; the others get it at their next poll. Never rejects. */
  async send(notice: string, holdsForMs: number): Promise<void> {
    const { redis, prefix, clock } = this.#options
    this.#received.set(notice, clock.now() + holdsForMs)
    await redis.run(SEND, [`${prefix}notices`], [notice, Math.ceil(holdsForMs), KEPT_MS]).catch(() => {})
  }

  async #beat(): Promise<void> {
    const { redis, prefix, id, beatMs } = this.#options
    const keys = [`${prefix}seats`, `${prefix}notices`]
    const reply = await redis.probe(BEAT, keys, [id, beatMs * BEATS_PER_SEAT, KEPT_MS])
    if (!Array.isArray(reply)) return
    this.#counts.push(Number(reply[0]) || 1)
    if (this.#counts.length > BEATS_PER_SEAT) this.#counts.shift()
    for (let at = 1; at < reply.length; at += 2) this.#receive(String(reply[at]), Number(reply[at + 1]))
    this.#forget()
  }

  /** A notice is new when it is valid longer than the known one: it was published again. */
  #receive(notice: string, holdsForMs: number): void {
    const until = this.#options.clock.now() + holdsForMs
    if (!(holdsForMs > 0) || until <= (this.#received.get(notice) ?? 0) + this.#options.beatMs) return
    this.#received.set(notice, until)
    this.#options.onNotice(notice, holdsForMs)
  }

  #forget(): void {
    const now = this.#options.clock.now()
    for (const [notice, until] of this.#received)
      if (until + this.#options.beatMs < now) this.#received.delete(notice)
  }

  /** A failing Redis is probed as soon as its circuit allows it. */
  #nextMs(): number {
    const { redis, beatMs, clock } = this.#options
    const { circuit } = redis.status
    if (circuit.name !== 'open') return beatMs
    return Math.max(SOONEST_MS, Math.min(beatMs, circuit.until - clock.now()))
  }
}
