import { kindsLike } from '../cache-kinds.ts'
import { GatewayError } from '../errors.ts'
import { type CacheCounts, hitRate } from './counts.ts'
import type { Invalidation } from './generations.ts'
import type { CacheRuntime } from './runtime.ts'

/** The cache statistics of this process since its start, for the admin API. */
export type CacheReport = Readonly<
  Omit<CacheCounts, 'unreadable'> & {
    enabled: boolean
    /** `null` before the first answer. */
    hitRate: number | null
    /** The store's size; `null` where it is not known without a query. */
    entries: number | null
    bytes: number | null
  }
>

/** Statistics and invalidation of the cache. */
export type CacheAdmin = Readonly<{
  report: () => CacheReport
  /** Throws GatewayError CONFLICT where caching is switched off. */
  invalidate: (what: Invalidation | KindInvalidation) => Promise<void>
}>

/** Answers of kinds: `*` in its name stands for anything. */
type KindInvalidation = Readonly<{ kind: string }>

/** An answer's kind is one of its tags. */
const kindsAsTags = (what: Invalidation | KindInvalidation): readonly Invalidation[] =>
  'kind' in what ? kindsLike(what.kind).map(tag => ({ tag })) : [what]

export type CacheAdminDeps = Readonly<{
  replies: Pick<CacheRuntime, 'generations' | 'counts'>
  /** Whether answers of any model are currently cached. */
  isOn: () => boolean
  /** The store's size, where it is known. */
  holds: (() => Readonly<{ entries: number; bytes: number }>) | undefined
}>

export const cacheAdmin = ({
  replies: { generations, counts },
  isOn,
  holds,
}: CacheAdminDeps): CacheAdmin => ({
  report: () => {
    const { unreadable: _, ...shown } = counts
    const { entries, bytes } = holds?.() ?? {}
    return {
      enabled: isOn(),
      ...shown,
      hitRate: hitRate(counts) ?? null,
      entries: entries ?? null,
      bytes: bytes ?? null,
    }
  },
  invalidate: async what => {
    if (!isOn())
      throw new GatewayError('CONFLICT', 'Caching is switched off (ENABLE_CACHING).', { retryable: false })
    for (const one of kindsAsTags(what)) await generations.invalidate(one)
    counts.invalidations += 1
  },
})
