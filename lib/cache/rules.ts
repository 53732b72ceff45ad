import { LRUCache } from 'lru-cache'
import { globMatcher } from './glob.ts'

type Choices = Readonly<{
  enabled?: boolean | undefined
  /** For how long an answer is fresh. */
  ttlSeconds?: number | undefined
  /** For how long after that it is still served at once, while a new one is fetched. */
  staleWhileRevalidateSeconds?: number | undefined
  /** For how long after being fresh it replaces a provider's failure. */
  staleIfErrorSeconds?: number | undefined
}>

/** Settings for the models of one pattern, in which `*` matches anything. Absent ones are those for all models. */
export type CacheRule = Choices & Readonly<{ model: string; tags?: readonly string[] | undefined }>

/** How answers are cached: for all models, and by the first rule whose pattern matches the requested model. */
export type CacheSettings = Choices & Readonly<{ rules?: readonly CacheRule[] | undefined }>

/** How one model's answers are cached. */
export type ResolvedCacheRule = Readonly<{
  ttlMs: number
  staleWhileRevalidateMs: number
  staleIfErrorMs: number
  /** Tags that every answer gets. */
  tags: readonly string[]
}>

/** The rules in force. A rule is undefined where answers are not cached. */
export type CacheRules = Readonly<{
  /** For models that no pattern matches. */
  usual: ResolvedCacheRule | undefined
  /** The rule for a model by the requested name; undefined where there are no patterns. */
  ofModel: ((model: string) => ResolvedCacheRule | undefined) | undefined
}>

/** Bound on remembered model names, which clients choose freely. */
const REMEMBERED_MODELS = 1_000

const resolvedRule = (choices: Choices, tags: readonly string[] = []): ResolvedCacheRule | undefined => {
  if (choices.enabled === false) return undefined
  return {
    ttlMs: (choices.ttlSeconds ?? 0) * 1000,
    staleWhileRevalidateMs: (choices.staleWhileRevalidateSeconds ?? 0) * 1000,
    staleIfErrorMs: (choices.staleIfErrorSeconds ?? 0) * 1000,
    tags,
  }
}

const chosen = (...layers: readonly Choices[]): Choices => {
  const pick = <K extends keyof Choices>(name: K): Choices[K] =>
    layers.find(layer => layer[name] !== undefined)?.[name]
  return {
    enabled: pick('enabled'),
    ttlSeconds: pick('ttlSeconds'),
    staleWhileRevalidateSeconds: pick('staleWhileRevalidateSeconds'),
    staleIfErrorSeconds: pick('staleIfErrorSeconds'),
  }
}

/** Compiles settings. Absent ones are taken from `defaults`. */
export const cacheRules = (settings: CacheSettings, defaults: Choices): CacheRules => {
  const rules = (settings.rules ?? []).map(rule => ({
    fits: globMatcher(rule.model),
    resolved: resolvedRule(chosen(rule, settings, defaults), rule.tags),
  }))
  const usual = resolvedRule(chosen(settings, defaults))
  if (rules.length === 0) return { usual, ofModel: undefined }

  const found = new LRUCache<string, { resolved: ResolvedCacheRule | undefined }>({ max: REMEMBERED_MODELS })
  const ofModel = (model: string): ResolvedCacheRule | undefined => {
    const known = found.get(model)
    if (known) return known.resolved
    const rule = rules.find(({ fits }) => fits(model))
    const resolved = rule ? rule.resolved : usual
    found.set(model, { resolved })
    return resolved
  }
  return { usual, ofModel }
}
