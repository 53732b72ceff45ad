/** A limit of `limit` uses in any window of `windowMs`. */
export type Bucket = Readonly<{ key: string; limit: number; windowMs: number }>

/** The state of one bucket after a taking. */
export type Taking = Readonly<{
  bucket: Bucket
  /** Whether the taking as a whole was allowed; the same for all its buckets. */
  allowed: boolean
  /** Never negative. */
  remaining: number
  /** Until the bucket regains capacity. */
  resetMs: number
  /** Until a taking of the same cost fits into this bucket; 0 when it does now. */
  waitMs: number
}>

/** Counts uses over sliding windows. */
export interface Counter {
  /**
   * Takes `cost` from all buckets, or, when it does not fit into one of them, from none. Atomic.
   *
   * @param cost a negative one returns uses, as far as they still count
   * @param now clock time in milliseconds
   * @param takenAt of uses that are returned: when they had been taken. Later ones, which are others', are never
   * returned; now when absent
   * @returns one Taking a bucket, in their order
   */
  take(buckets: readonly Bucket[], cost: number, now: number, takenAt?: number): Promise<readonly Taking[]>
}
