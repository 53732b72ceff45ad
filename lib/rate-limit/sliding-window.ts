import { LRUCache } from 'lru-cache'
import type { Bucket, Counter, Taking } from './counter.ts'

/** Up to this limit every taking is recorded individually; above it, by the slot of the window it falls into. */
const SLOTS_PER_WINDOW = 240

/** The takings of one key, oldest first. The takings of one slot expire together, a window after its end. */
type Log = { expiries: number[]; counts: number[]; total: number }

const forget = (log: Log, now: number): void => {
  let gone = 0
  while (gone < log.expiries.length && (log.expiries[gone] ?? 0) <= now) {
    log.total -= log.counts[gone] ?? 0
    gone += 1
  }
  if (gone === 0) return
  log.expiries.splice(0, gone)
  log.counts.splice(0, gone)
}

const expiryOf = ({ limit, windowMs }: Bucket, now: number): number => {
  if (limit <= SLOTS_PER_WINDOW) return now + windowMs
  const slotMs = windowMs / SLOTS_PER_WINDOW
  return Math.ceil(now / slotMs) * slotMs + windowMs
}

const write = (log: Log, bucket: Bucket, cost: number, now: number): void => {
  const expiry = expiryOf(bucket, now)
  const newest = log.expiries.length - 1
  if (log.expiries[newest] === expiry) log.counts[newest] = (log.counts[newest] ?? 0) + cost
  else {
    log.expiries.push(expiry)
    log.counts.push(cost)
  }
  log.total += cost
}

/** Removes the newest takings that expire by `lastExpiry`, and never more than there are. */
const giveBack = (log: Log, amount: number, lastExpiry: number): void => {
  let left = amount
  for (let slot = log.counts.length - 1; slot >= 0 && left > 0; slot -= 1) {
    if ((log.expiries[slot] ?? 0) > lastExpiry) continue
    const some = Math.min(left, log.counts[slot] ?? 0)
    log.counts[slot] = (log.counts[slot] ?? 0) - some
    log.total -= some
    left -= some
  }
}

/** Milliseconds until `cost` more fits; 0 when it fits now. */
const waitFor = (log: Log, bucket: Bucket, cost: number, now: number): number => {
  let excess = log.total + cost - bucket.limit
  for (let slot = 0; excess > 0 && slot < log.expiries.length; slot += 1) {
    excess -= log.counts[slot] ?? 0
    if (excess <= 0) return (log.expiries[slot] ?? now) - now
  }
  return excess > 0 ? bucket.windowMs : 0
}

/**
 * A sliding window in memory. It never allows more than the limit in any window. It is exact for
 * limits up to 240; with larger ones a taking counts for at most 1/240 of the window too long.
 *
 * Memory is bounded by the number of keys: beyond `maxKeys` the least recently used one is forgotten with its takings.
 * Not for budgets, which must not be lost.
 */
export const slidingWindow = (maxKeys = 100_000): Counter => {
  // `max` would take memory for all of them at once.
  const logs = new LRUCache<string, Log>({ maxSize: maxKeys, sizeCalculation: () => 1 })

  const logOf = (bucket: Bucket, now: number): Log => {
    const log = logs.get(bucket.key) ?? { expiries: [], counts: [], total: 0 }
    forget(log, now)
    return log
  }

  return {
    async take(buckets, cost, now, takenAt = now) {
      const held = buckets.map(bucket => ({ bucket, log: logOf(bucket, now) }))
      const waits = held.map(({ bucket, log }) => waitFor(log, bucket, cost, now))
      const allowed = waits.every(wait => wait === 0)
      if (allowed) {
        for (const { bucket, log } of held) {
          if (cost < 0) giveBack(log, -cost, expiryOf(bucket, takenAt))
          else write(log, bucket, cost, now)
          logs.set(bucket.key, log)
        }
      }
      return held.map(
        ({ bucket, log }, index): Taking => ({
          bucket,
          allowed,
          remaining: Math.max(0, bucket.limit - log.total),
          resetMs: Math.max(waits[index] ?? 0, (log.expiries[0] ?? now) - now, 0),
          waitMs: waits[index] ?? 0,
        }),
      )
    },
  }
}
