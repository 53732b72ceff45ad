/** Counts of cache operations since the process started. */
export type CacheCounts = {
  /** Fresh answers from the cache, and those shared with another call. */
  hits: number
  /** Calls that went upstream. */
  misses: number
  /** Stale answers. */
  stale: number
  /** Calls that bypassed the cache. */
  bypassed: number
  /** Calls that shared another call's reply: they are hits too. */
  coalesced: number
  stores: number
  refreshes: number
  failedRefreshes: number
  invalidations: number
  /** Stored values that could not be read, and were removed. */
  unreadable: number
}

export const newCounts = (): CacheCounts => ({
  hits: 0,
  misses: 0,
  stale: 0,
  bypassed: 0,
  coalesced: 0,
  stores: 0,
  refreshes: 0,
  failedRefreshes: 0,
  invalidations: 0,
  unreadable: 0,
})

/** The share of answers without an upstream call; absent before the first. */
export const hitRate = ({ hits, misses, stale }: CacheCounts): number | undefined => {
  const replies = hits + misses + stale
  return replies === 0 ? undefined : (hits + stale) / replies
}
