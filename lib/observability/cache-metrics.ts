import { Counter, Gauge, type Registry } from 'prom-client'

/** What the cache counts by itself, and what it holds where that is known. */
export type CacheFigures = Readonly<{
  counts: Readonly<
    Record<'coalesced' | 'stores' | 'refreshes' | 'failedRefreshes' | 'invalidations' | 'unreadable', number>
  >
  holds?: () => Readonly<{ entries: number; bytes: number }> | undefined
}>

/** Shows the cache's own counts, which cost nothing until somebody looks. */
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

  counter('coalesced', 'Calls that read along with another’s.', () => counts.coalesced)
  counter('stores', 'Answers that were kept.', () => counts.stores)
  counter('refreshes', 'Answers fetched anew behind a stale one.', () => counts.refreshes)
  counter('failed_refreshes', 'Those of them that brought no answer to keep.', () => counts.failedRefreshes)
  counter('invalidations', 'Invalidations by the admin API.', () => counts.invalidations)
  counter('unreadable', 'Stored values that could not be read.', () => counts.unreadable)
  gauge(
    'entries',
    'Answers held, and the record of invalidations; 0 where it is not known.',
    () => holds?.()?.entries,
  )
  gauge('bytes', 'Bytes held, as far as known.', () => holds?.()?.bytes)
}
