/** How many classes of durations are counted, the last one without an upper bound. */
export const BUCKETS = 32
const RATIO = 1.5
const LOG_RATIO = Math.log(RATIO)

/** The bucket of a duration in milliseconds: bucket n reaches to 1.5ⁿ, so that the last begins at five minutes. */
export const bucketOf = (milliseconds: number): number =>
  milliseconds <= 1 ? 0 : Math.min(BUCKETS - 1, Math.ceil(Math.log(milliseconds) / LOG_RATIO - 1e-9))

/** Counts of durations by bucket, and the least and the greatest one. */
export type Histogram = Readonly<{ counts: readonly number[]; min: number; max: number }>

const boundsOf = (bucket: number, { min, max }: Histogram): readonly [number, number] => [
  Math.max(min, bucket === 0 ? 0 : RATIO ** (bucket - 1)),
  bucket === BUCKETS - 1 ? max : Math.min(max, RATIO ** bucket),
]

/** The duration that this share of all does not exceed, interpolated in its bucket; undefined where there is none. */
export const percentile = (histogram: Histogram, share: number): number | undefined => {
  const total = histogram.counts.reduce((sum, count) => sum + count, 0)
  if (total === 0) return undefined
  const rank = Math.max(1, Math.ceil(total * share))
  let before = 0
  for (const [bucket, count] of histogram.counts.entries()) {
    if (before + count < rank) {
      before += count
      continue
    }
    const [low, high] = boundsOf(bucket, histogram)
    return Math.round(low + (high - low) * ((rank - before - 0.5) / count))
  }
  return histogram.max
}
