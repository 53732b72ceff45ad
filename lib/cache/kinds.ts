import type { CacheKind } from '../llm/types.ts'
import type { ResolvedCacheRule } from './rules.ts'

const HOUR_MS = 3_600_000

const LIFETIME_MS: Readonly<Record<CacheKind, number>> = { evaluation: HOUR_MS }

/** A model's rule for answers of a kind: they live for the kind's time, and its name is one of their tags. */
export const ofKind = (rule: ResolvedCacheRule, kind: CacheKind): ResolvedCacheRule => ({
  ...rule,
  ttlMs: LIFETIME_MS[kind],
  staleWhileRevalidateMs: 0,
  tags: [...rule.tags, kind],
})
