import type { Clock } from '../clock.ts'
import { type RedisClient, script } from '../storage/redis/client.ts'
import type { KeySlots } from './slots.ts'

/** A process that dies frees its slots after so long. */
const LEASE_MS = 30_000
const RENEWED_EVERY_MS = 10_000

/** Takes a slot of KEYS[1] for ARGV[1], where fewer than ARGV[2] are held; ARGV[3]: the lease. In Redis' own time. */
const ENTER = script(
  'enter-slot',
  `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
`,
)
/** Prolongs the slot of ARGV[1]; ARGV[2]: the lease. */
const RENEW = script(
  'renew-slot',
  `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], 'XX', now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
`,
)
const LEAVE = script('leave-slot', `return redis.call('ZREM', KEYS[1], ARGV[1])`)

export type SharedSlotsDeps = Readonly<{
  redis: Pick<RedisClient, 'run'>
  /** Applies too, and alone while Redis fails. */
  local: KeySlots
  /** Precedes every key. */
  prefix: string
  clock: Clock
}>

/** Slots that several gateways share, exactly: one script of Redis. */
export const sharedSlots = ({ redis, local, prefix, clock }: SharedSlotsDeps): KeySlots => {
  const held = new Map<string, string>()
  const renewal = clock.timer(RENEWED_EVERY_MS, () => {
    for (const [slot, key] of held) redis.run(RENEW, [key], [slot, LEASE_MS]).catch(() => {})
    renewal.refresh()
  })

  const holding = (slot: string, key: string, leave: () => void) => {
    held.set(slot, key)
    return () => {
      leave()
      // A slot that cannot be freed ends with its lease.
      if (held.delete(slot)) redis.run(LEAVE, [key], [slot]).catch(() => {})
    }
  }

  return {
    async enter(keyId, most) {
      const leave = await local.enter(keyId, most)
      if (!leave) return undefined
      const slot = crypto.randomUUID()
      const key = `${prefix}${keyId}`
      const entered = await redis.run(ENTER, [key], [slot, most, LEASE_MS]).catch(() => undefined)
      if (entered === undefined) {
        // It may have been taken all the same.
        redis.run(LEAVE, [key], [slot]).catch(() => {})
        return leave
      }
      if (Number(entered) === 1) return holding(slot, key, leave)
      leave()
      return undefined
    },
  }
}
