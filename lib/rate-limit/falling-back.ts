import type { Bucket, Counter, Taking } from './counter.ts'

export type FallbackDeps = Readonly<{
  shared: Counter
  local: Counter
  /** How many gateways share the limits, including this one. */
  gateways: () => number
}>

/** Local uses are kept a little shorter than shared ones, so that the local limit is not stricter. */
const EARLIER_MS = 200

const shareOf = (bucket: Bucket, gateways: number): Bucket => ({
  ...bucket,
  limit: Math.max(1, Math.floor(bucket.limit / gateways)),
})

const noted = (bucket: Bucket): Bucket => ({
  ...bucket,
  windowMs: Math.max(bucket.windowMs / 2, bucket.windowMs - EARLIER_MS),
})

/** Clients see the configured limit, not this gateway's current share of it. */
const inTermsOf = (buckets: readonly Bucket[], takings: readonly Taking[]): readonly Taking[] =>
  takings.map((taking, index) => ({ ...taking, bucket: buckets[index] ?? taking.bucket }))

/**
 * Counts in the shared counter, and while that fails in a local one, with this gateway's share of each limit. Uses
 * allowed by the shared counter are also counted locally: so the share is not granted on top of them, and no gateway
 * alone ever exceeds a limit, even when the shared counter loses its state.
 */
export const fallingBack = ({ shared, local, gateways }: FallbackDeps): Counter => ({
  async take(buckets, cost, now, takenAt) {
    const takings = await shared.take(buckets, cost, now, takenAt).catch(() => undefined)
    if (!takings) {
      const shares = buckets.map(bucket => shareOf(bucket, gateways()))
      return inTermsOf(buckets, await local.take(shares, cost, now, takenAt))
    }
    if (!takings[0]?.allowed) return takings
    const own = await local.take(buckets.map(noted), cost, now, takenAt)
    return own[0]?.allowed ? takings : inTermsOf(buckets, own)
  },
})
