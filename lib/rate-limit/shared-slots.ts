import type { Clock } from '../clock.ts'
import { type RedisClient, script } from '../storage/redis/client.ts'
import type { KeySlots } from './slots.ts'

/** A process that dies frees its slots after so long. */
const LEASE_MS = 30_000
const RENEWED_EVERY_MS = 10_000

/** The time between two attempts to free slots that have ended. */
const FREED_AGAIN_MS = 1_000
const MOST_AT_ONCE = 1_000

/**
 * Takes a slot of KEYS[1] for ARGV[1], where fewer than ARGV[2] are held; ARGV[3]: the lease; from ARGV[4] on, slots that
 * have ended. In Redis' own time.
 */
const ENTER = script(
  'enter-slot',
  `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if #ARGV > 3 then redis.call('ZREM', KEYS[1], unpack(ARGV, 4)) end
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
`,
)
/** Prolongs the slot of ARGV[1], or takes it where Redis does not know it: it was away. ARGV[2]: the lease. */
const RENEW = script(
  'renew-slot',
  `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
`,
)
const LEAVE = script('leave-slots', `return redis.call('ZREM', KEYS[1], unpack(ARGV))`)

type Redis = Pick<RedisClient, 'run'>

/** Slots that have ended and that Redis may still count, by their key. */
class EndedSlots {
  readonly #redis: Redis
  readonly #clock: Clock
  /** When each ended, in clock time. */
  readonly #byKey = new Map<string, Map<string, number>>()

  constructor(redis: Redis, clock: Clock) {
    this.#redis = redis
    this.#clock = clock
  }

  /** The ended slots of a key, the oldest first. */
  of(key: string): readonly string[] {
    const oldest: string[] = []
    for (const slot of this.#byKey.get(key)?.keys() ?? []) {
      if (oldest.length === MOST_AT_ONCE) break
      oldest.push(slot)
    }
    return oldest
  }

  /** Frees a slot in Redis, now or at a later attempt. */
  add(key: string, slot: string): void {
    const slots = this.#byKey.get(key) ?? new Map<string, number>()
    this.#byKey.set(key, slots.set(slot, this.#clock.now()))
    this.#redis.run(LEAVE, [key], [slot]).then(
      () => this.freed(key, [slot]),
      () => {},
    )
  }

  /** Redis counts these no more. */
  freed(key: string, slots: readonly string[]): void {
    const known = this.#byKey.get(key)
    for (const slot of slots) known?.delete(slot)
    if (known?.size === 0) this.#byKey.delete(key)
  }

  /** Frees them in Redis until that fails. Slots whose lease is over are forgotten. */
  async retry(): Promise<void> {
    const keys = [...this.#byKey.keys()]
    for (const key of keys) this.#forgetOld(key)
    for (const key of keys) {
      const slots = this.of(key)
      if (slots.length === 0) continue
      await this.#redis.run(LEAVE, [key], slots)
      this.freed(key, slots)
    }
  }

  #forgetOld(key: string): void {
    const oldest = this.#clock.now() - LEASE_MS
    for (const [slot, endedAt] of this.#byKey.get(key) ?? []) {
      if (endedAt >= oldest) return
      this.freed(key, [slot])
    }
  }
}

export type SharedSlotsDeps = Readonly<{
  redis: Redis
  /** Applies too, and alone while Redis fails. */
  local: KeySlots
  /** How many of a limit are this gateway's while Redis fails. */
  shareOf: (most: number) => number
  /** Precedes every key. */
  prefix: string
  clock: Clock
}>

/**
 * Slots that several gateways share, exactly: one script of Redis. Where that was away, it counts those of calls in
 * progress again within ten seconds.
 */
export const sharedSlots = ({ redis, local, shareOf, prefix, clock }: SharedSlotsDeps): KeySlots => {
  const held = new Map<string, string>()
  const ended = new EndedSlots(redis, clock)
  const renew = async (slot: string, key: string): Promise<void> => {
    await redis.run(RENEW, [key], [slot, LEASE_MS]).catch(() => {})
    // It was left meanwhile, and its renewal may have come after that.
    if (!held.has(slot)) ended.add(key, slot)
  }
  const renewal = clock.timer(RENEWED_EVERY_MS, () => {
    for (const [slot, key] of held) void renew(slot, key)
    renewal.refresh()
  })
  const retrying = clock.timer(FREED_AGAIN_MS, () => {
    void ended
      .retry()
      .catch(() => {})
      .finally(() => retrying.refresh())
  })

  const holding = (slot: string, key: string, leave: () => void) => {
    held.set(slot, key)
    return () => {
      leave()
      if (held.delete(slot)) ended.add(key, slot)
    }
  }

  return {
    async enter(keyId, most) {
      const leave = await local.enter(keyId, most)
      if (!leave) return undefined
      const slot = crypto.randomUUID()
      const key = `${prefix}${keyId}`
      const over = ended.of(key)
      const entered = await redis.run(ENTER, [key], [slot, most, LEASE_MS, ...over]).catch(() => undefined)
      if (entered === undefined) {
        leave()
        const own = await local.enter(keyId, shareOf(most))
        if (own) return holding(slot, key, own)
        // It may have been taken all the same.
        ended.add(key, slot)
        return undefined
      }
      ended.freed(key, over)
      if (Number(entered) === 1) return holding(slot, key, leave)
      leave()
      return undefined
    },
  }
}
