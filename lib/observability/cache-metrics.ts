import { Counter, Gauge, type Registry } from 'prom-client'

/** Metrics from the cache's own counts, and its size where known. */
export type CacheFigures = Readonly<{
  counts: Readonly<
    Record<'coalesced' | 'stores' | 'refreshes' | 'failedRefreshes' | 'invalidations' | 'unreadable', number>
  >
  holds?: () => Readonly<{ entries: number; bytes: number }> | undefined
}>

/** Reads the cache's own counts at each scrape. */
export const cacheMetrics = (registry: Registry, { counts, holds }: CacheFigures): void => {
  const registers = [registry]
  const counter = (name: string, help: string, read: () => number) =>
    new Counter({
      name: `parley_cache_${name}_total`,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(read())
      },
    })
  const gauge = (name: string, help: string, read: () => number | undefined) =>
    new Gauge({
      name: `parley_cache_${name}`,
      help,
      registers,
      collect() {
        const value = read()
        if (value !== undefined) this.set(value)
      },
    })

  counter('coalesced', 'Calls that shared the upstream call of another one.', () => counts.coalesced)
  counter('stores', 'Answers stored in the cache.', () => counts.stores)
  counter('refreshes', 'Background refreshes of stale answers.', () => counts.refreshes)
  counter('failed_refreshes', 'Background refreshes that failed.', () => counts.failedRefreshes)
  counter('invalidations', 'Invalidations by the admin API.', () => counts.invalidations)
  counter('unreadable', 'Stored values that could not be decoded.', () => counts.unreadable)
  gauge(
    'entries',
    'Cached entries, the record of invalidations included; 0 where unknown.',
    () => holds?.()?.entries,
  )
  gauge('bytes', 'Bytes of cached entries; 0 where unknown.', () => holds?.()?.bytes)
}
