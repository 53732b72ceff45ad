import { cacheRules } from '../cache/rules.ts'
import type { KeyFacts } from '../ledger/recommendations/idle-keys.ts'
import { type Recommendations, recommend } from '../ledger/recommendations/recommend.ts'
import { flushed } from '../ledger/service.ts'
import type { CurrentConfig } from './live-config.ts'
import type { Runtime } from './runtime.ts'

const PAGE_KEYS = 100
const MOST_KEYS = 1_000
const SECOND_MS = 1_000

const allKeys = async ({ service }: Runtime['keys']): Promise<readonly KeyFacts[]> => {
  const found: KeyFacts[] = []
  let cursor: string | undefined
  do {
    const page = await service.list({ limit: PAGE_KEYS, cursor }, { all: true })
    found.push(...page.entries)
    cursor = page.cursor
  } while (cursor !== undefined && found.length < MOST_KEYS)
  return found
}

/** What the ledger recommends. Those who ask while it is being read share one answer. */
export const recommendations = (
  runtime: Runtime,
  current: CurrentConfig,
): (() => Promise<Recommendations>) => {
  let running: Promise<Recommendations> | undefined
  const read = async (): Promise<Recommendations> => {
    await flushed(runtime.ledger, runtime.clock)
    const { catalog, settings } = current.now
    const { enabled, file, defaults } = settings.caching
    const ruleOf = cacheRules(file, defaults)
    return recommend({
      records: runtime.database.records,
      clock: runtime.clock,
      priceOf: model => {
        const known = catalog.find(model)
        return known && catalog.priceOf(known.target)
      },
      ttlOf: model => {
        const rule = enabled ? ruleOf(model) : undefined
        return rule && rule.ttlMs / SECOND_MS
      },
      keys: () => allKeys(runtime.keys),
    })
  }
  return () => {
    running ??= read().finally(() => {
      running = undefined
    })
    return running
  }
}
