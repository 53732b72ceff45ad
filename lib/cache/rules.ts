import { LRUCache } from 'lru-cache'
import { CACHE_KIND_SECONDS, type CacheKind } from '../cache-kinds.ts'
import { globMatcher } from '../glob.ts'

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
export type CacheRule = Choices &
  Readonly<{
    model: string
    /** What their answers are for, where a call does not say it. */
    kind?: CacheKind | undefined
    tags?: readonly string[] | undefined
  }>

/** How answers are cached: for all models, by the first rule whose pattern matches the requested model, and by kind. */
export type CacheSettings = Choices &
  Readonly<{
    rules?: readonly CacheRule[] | undefined
    kinds?: Readonly<Partial<Record<CacheKind, Choices>>> | undefined
  }>

/** How one model's answers are cached. */
export type ResolvedCacheRule = Readonly<{
  ttlMs: number
  staleWhileRevalidateMs: number
  staleIfErrorMs: number
  /** Tags that every answer gets, its kind included. */
  tags: readonly string[]
}>

/** The rule of a model, by the requested name, and of a kind; undefined where answers are not cached. */
export type CacheRules = (model: string, kind?: CacheKind) => ResolvedCacheRule | undefined

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

/** The settings of a kind where it has any, and its own time. */
const ofKind = ({ kinds }: CacheSettings, kind: CacheKind | undefined): readonly Choices[] =>
  kind === undefined ? [] : [kinds?.[kind] ?? {}, { ttlSeconds: CACHE_KIND_SECONDS[kind] }]

const resolve = (
  settings: CacheSettings,
  defaults: Choices,
  { rule, kind: asked }: Readonly<{ rule: CacheRule | undefined; kind: CacheKind | undefined }>,
): ResolvedCacheRule | undefined => {
  const kind = asked ?? rule?.kind
  const own = rule ? [rule] : []
  const byKind = ofKind(settings, kind)
  // What a rule says of its model holds for the kind that it gives, and not for another that a call asks for.
  const isOfRule = rule?.kind === kind
  const layers = isOfRule ? [...own, ...byKind] : [...byKind, ...own]
  if (layers.some(({ enabled }) => enabled === false)) return undefined
  const tags = [...(rule?.tags ?? []), ...(kind === undefined ? [] : [kind])]
  return resolvedRule(chosen(...layers, settings, defaults), tags)
}

/**
 * Compiles settings. Absent ones are taken from `defaults`, the time of an answer of a kind from the kind. A rule that
 * switches its models off does so for every kind.
 */
export const cacheRules = (settings: CacheSettings, defaults: Choices): CacheRules => {
  const rules = (settings.rules ?? []).map(rule => ({ fits: globMatcher(rule.model), rule }))
  const usual = resolve(settings, defaults, { rule: undefined, kind: undefined })
  const found = new LRUCache<string, { resolved: ResolvedCacheRule | undefined }>({ max: REMEMBERED_MODELS })
  return (model, kind) => {
    if (rules.length === 0 && kind === undefined) return usual
    const name = `${kind ?? ''} ${model}`
    const known = found.get(name)
    if (known) return known.resolved
    const rule = rules.find(({ fits }) => fits(model))?.rule
    const resolved = resolve(settings, defaults, { rule, kind })
    found.set(name, { resolved })
    return resolved
  }
}
