/** Something that may be used `limit` times in any window of `windowMs`. */
export type Bucket = Readonly<{ key: string; limit: number; windowMs: number }>

/** How one bucket stands after a taking. */
export type Taking = Readonly<{
  bucket: Bucket
  /** Whether the taking as a whole was allowed; the same for all its buckets. */
  allowed: boolean
  /** Never negative. */
  remaining: number
  /** Until the bucket regains something. */
  resetMs: number
  /** Until a taking of the same cost fits into this bucket; 0 when it does now. */
  waitMs: number
}>

/** Counts takings over sliding windows. */
export interface Counter {
  /**
   * Takes `cost` from all buckets, or, when it does not fit into one of them, from none. Atomic.
   *
   * @param cost a negative one gives back what was taken lately, as far as it is still counted
   * @param now clock time in milliseconds
   * @returns one Taking a bucket, in their order
   */
  take(buckets: readonly Bucket[], cost: number, now: number): Promise<readonly Taking[]>
}
