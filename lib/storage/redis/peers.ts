import { LRUCache } from 'lru-cache'
import type { Clock, Timer } from '../../clock.ts'
import { script } from './client.ts'
import type { GuardedRedis } from './guard.ts'

/**
 * Keeps this gateway's seat among those that share a Redis and reads what they tell each other.
 * KEYS: seats, notices. ARGV: own id, how long the own seat is kept (ms), how long seats are kept at most (ms).
 * Answers the number of seats, then each notice and for how many more milliseconds it holds.
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

/** KEYS: notices. ARGV: a notice, for how long it holds (ms), how long notices are kept at most (ms). */
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

/** How long what gateways leave in Redis is kept after the last of them. */
const KEPT_MS = 3_600_000
/** As many as Redis is asked for. They name what clients chose, and while Redis is away none expires. */
const MOST_NOTICES = 1_000
const BEATS_PER_SEAT = 5
const SOONEST_MS = 10

export type PeersOptions = Readonly<{
  redis: GuardedRedis
  /** This gateway among the others. */
  id: string
  prefix: string
  /** How often it looks around. */
  beatMs: number
  clock: Clock
  /** Told of each notice of another gateway, once. */
  onNotice: (notice: string, holdsForMs: number) => void
}>

/**
 * The gateways that share a Redis: how many there are, and what they tell each other. It looks around in the
 * background and nothing waits for it; its beat is also what finds out that a failing Redis is well again. While
 * Redis is away the others are believed to be as they were last seen.
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

  /** The most gateways that were there at once in the last beats, this one among them; at least 1. */
  get count(): number {
    return Math.max(1, ...this.#counts)
  }

  /** Looks around now, and again and again from then on. Resolves after the first time; never rejects. */
  async start(): Promise<void> {
    await this.#beat().catch(() => {})
    if (!this.#stopped) this.#timer = this.#options.clock.timer(this.#nextMs(), () => void this.start())
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  /** Lets the others know, as long as it holds; they hear it with their next beat. Never rejects. */
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

  /** A notice is news when it holds longer than what was heard before: it was given anew. */
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

  /** A Redis that is given a rest is asked again as soon as that is over. */
  #nextMs(): number {
    const { redis, beatMs, clock } = this.#options
    const { circuit } = redis.status
    if (circuit.name !== 'open') return beatMs
    return Math.max(SOONEST_MS, Math.min(beatMs, circuit.until - clock.now()))
  }
}
