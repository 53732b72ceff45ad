import { GatewayError } from '../errors.ts'
import { hitRate, newCounts } from './counts.ts'
import type { Invalidation } from './generation.ts'
import type { CacheParts } from './policy.ts'

/** What the admin API shows of the cache of this process, since it began. */
export type CacheReport = Readonly<{
  enabled: boolean
  hits: number
  misses: number
  stale: number
  bypassed: number
  coalesced: number
  stores: number
  refreshes: number
  failedRefreshes: number
  invalidations: number
  /** Absent before the first answer. */
  hitRate: number | null
  /** What the store holds; `null` where it is not known without asking. */
  entries: number | null
  bytes: number | null
}>

/** Where the cache can be looked at and told to forget. */
export type CacheDesk = Readonly<{
  report: () => CacheReport
  /** Throws GatewayError CONFLICT where caching is switched off. */
  invalidate: (what: Invalidation) => Promise<void>
}>

type Holds = () => Readonly<{ entries: number; bytes: number }>

/** @param holds what the store holds, where that is known */
export const cacheDesk = (parts: CacheParts | undefined, holds: Holds | undefined): CacheDesk => ({
  report: () => {
    const { unreadable: _, ...counts } = parts?.counts ?? newCounts()
    const { entries, bytes } = holds?.() ?? {}
    return {
      enabled: parts !== undefined,
      ...counts,
      hitRate: (parts && hitRate(parts.counts)) ?? null,
      entries: entries ?? null,
      bytes: bytes ?? null,
    }
  },
  invalidate: async what => {
    if (!parts)
      throw new GatewayError('CONFLICT', 'Caching is switched off (ENABLE_CACHING).', { retryable: false })
    await parts.generations.invalidate(what)
    parts.counts.invalidations += 1
  },
})
