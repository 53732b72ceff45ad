/** What the cache has done since the process began. */
export type CacheCounts = {
  /** Answers given again while they were fresh, and those read along with another's call. */
  hits: number
  /** Calls for which the upstream was asked. */
  misses: number
  /** Answers given again after their time. */
  stale: number
  /** Calls that were not the cache's business. */
  bypassed: number
  /** Calls that read along with another's: they are hits too. */
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

/** The share of answers for which nobody had to be asked; absent before the first. */
export const hitRate = ({ hits, misses, stale }: CacheCounts): number | undefined => {
  const replies = hits + misses + stale
  return replies === 0 ? undefined : (hits + stale) / replies
}
