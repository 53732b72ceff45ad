import { LRUCache } from 'lru-cache'
import { globMatcher } from './glob.ts'

type Choices = Readonly<{
  enabled?: boolean | undefined
  /** For how long an answer is fresh. */
  ttlSeconds?: number | undefined
  /** For how long after that it is still given at once, while a new one is fetched. */
  staleWhileRevalidateSeconds?: number | undefined
  /** For how long after being fresh it stands in for a provider that fails. */
  staleIfErrorSeconds?: number | undefined
}>

/** What holds for the models of one pattern, in which `*` stands for anything. What is absent is as for all. */
export type CacheRule = Choices & Readonly<{ model: string; tags?: readonly string[] | undefined }>

/** How answers are kept: for all models, and by the first rule whose pattern fits the model asked for. */
export type CacheSettings = Choices & Readonly<{ rules?: readonly CacheRule[] | undefined }>

/** How one model's answers are kept. */
export type Treatment = Readonly<{
  ttlMs: number
  staleWhileRevalidateMs: number
  staleIfErrorMs: number
  /** Labels that every answer gets. */
  tags: readonly string[]
}>

/** The treatment of a model by the name asked for; absent where its answers are not kept. */
export type TreatmentOf = (model: string) => Treatment | undefined

/** Clients choose model names freely: so many of them are remembered. */
const REMEMBERED_MODELS = 1_000

const treatmentBy = (choices: Choices, tags: readonly string[] = []): Treatment | undefined => {
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

/** Makes settings ready to be asked. What they do not say is taken from `defaults`. */
export const treatments = (settings: CacheSettings, defaults: Choices): TreatmentOf => {
  const rules = (settings.rules ?? []).map(rule => ({
    fits: globMatcher(rule.model),
    treatment: treatmentBy(chosen(rule, settings, defaults), rule.tags),
  }))
  const usual = treatmentBy(chosen(settings, defaults))
  if (rules.length === 0) return () => usual

  const found = new LRUCache<string, { treatment: Treatment | undefined }>({ max: REMEMBERED_MODELS })
  return model => {
    const known = found.get(model)
    if (known) return known.treatment
    const rule = rules.find(({ fits }) => fits(model))
    const treatment = rule ? rule.treatment : usual
    found.set(model, { treatment })
    return treatment
  }
}
