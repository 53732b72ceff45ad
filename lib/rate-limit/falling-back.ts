import type { Bucket, Counter, Taking } from './counter.ts'

export type FallbackDeps = Readonly<{
  shared: Counter
  local: Counter
  /** How many gateways share the limits, this one among them. */
  gateways: () => number
}>

/** What a gateway itself let through is kept a little shorter than where it is shared, so as not to be stricter. */
const EARLIER_MS = 200

const shareOf = (bucket: Bucket, gateways: number): Bucket => ({
  ...bucket,
  limit: Math.max(1, Math.floor(bucket.limit / gateways)),
})

const noted = (bucket: Bucket): Bucket => ({
  ...bucket,
  windowMs: Math.max(bucket.windowMs / 2, bucket.windowMs - EARLIER_MS),
})

/** Clients are told their limit as it is configured, not the share of it that holds at the moment. */
const inTermsOf = (buckets: readonly Bucket[], takings: readonly Taking[]): readonly Taking[] =>
  takings.map((taking, index) => ({ ...taking, bucket: buckets[index] ?? taking.bucket }))

/**
 * Counts where all gateways count, and while that cannot be done counts here, with this gateway's share of each
 * limit. What was let through there is noted here too: so the share is not granted on top of it, and no gateway
 * alone ever exceeds a limit, also when what is shared forgets what it knew.
 */
export const fallingBack = ({ shared, local, gateways }: FallbackDeps): Counter => ({
  async take(buckets, cost, now) {
    const takings = await shared.take(buckets, cost, now).catch(() => undefined)
    if (!takings) {
      const shares = buckets.map(bucket => shareOf(bucket, gateways()))
      return inTermsOf(buckets, await local.take(shares, cost, now))
    }
    if (!takings[0]?.allowed) return takings
    const own = await local.take(buckets.map(noted), cost, now)
    return own[0]?.allowed ? takings : inTermsOf(buckets, own)
  },
})
