import type { CacheRuleHint, RequestFact } from './types.ts'

const HOUR_SECONDS = 3_600
const SECOND_MS = 1_000
/** The lives of an answer that are tried: an hour, six hours, a day, a week. */
const TTLS = [1, 6, 24, 168].map(hours => hours * HOUR_SECONDS)
/** The shortest life that saves so much of what the longest would is recommended. */
const ENOUGH = 0.8
const LEAST_HITS = 4

type Asked = Readonly<{ at: number; costNano: number; isStored: boolean }>
type Saved = { hits: number; savedNano: number }

/** The requests to one model, with those that the cache would have answered, by the life of its answers. */
type OfModel = { requests: number; readonly current: number; readonly byTtl: ReadonlyMap<number, Saved> }

/** What a cache that keeps answers for so long would have answered. */
const simulate = (asked: readonly Asked[], ttlSeconds: number, sum: Saved): void => {
  let freshUntil = Number.NEGATIVE_INFINITY
  for (const { at, costNano, isStored } of asked) {
    if (at <= freshUntil) {
      sum.hits += 1
      sum.savedNano += costNano
    } else if (isStored) freshUntil = at + ttlSeconds * SECOND_MS
  }
}

const newModel = (current: number): OfModel => ({
  requests: 0,
  current,
  byTtl: new Map(
    [current, ...TTLS.filter(ttl => ttl > current)].map(ttl => [ttl, { hits: 0, savedNano: 0 }]),
  ),
})

/** How long a model's answers are fresh at present, in seconds; undefined where they are not cached. */
export type CurrentTtl = (model: string) => number | undefined

/** Finds models whose questions come again after their answers have left the cache. */
export class RepeatedQuestions {
  readonly #asked = new Map<string, { model: string; asked: Asked[] }>()

  /** Facts may come in any order. What came from the cache needs no other rule. */
  add({ question, at, asked: model, outcome, cache, costNano }: RequestFact): void {
    if (question === null || cache === 'hit' || cache === 'stale') return
    const known = this.#asked.get(question) ?? { model, asked: [] }
    known.asked.push({ at, costNano: costNano ?? 0, isStored: outcome === 'ok' })
    this.#asked.set(question, known)
  }

  found(ttlOf: CurrentTtl): readonly CacheRuleHint[] {
    const models = new Map<string, OfModel>()
    for (const { model, asked } of this.#asked.values()) {
      const sums = models.get(model) ?? newModel(ttlOf(model) ?? 0)
      models.set(model, sums)
      sums.requests += asked.length
      if (asked.length === 1) continue
      const ordered = asked.toSorted((a, b) => a.at - b.at)
      for (const [ttl, sum] of sums.byTtl) simulate(ordered, ttl, sum)
    }
    return [...models].flatMap(([model, sums]) => hintOf(model, sums, ttlOf(model)) ?? [])
  }
}

/** What a longer life would save beyond the present one: answers may have left the cache for want of space. */
const hintOf = (
  model: string,
  { requests, current, byTtl }: OfModel,
  currentTtlSeconds: number | undefined,
): CacheRuleHint | undefined => {
  const now = byTtl.get(current) ?? { hits: 0, savedNano: 0 }
  const longer = [...byTtl].map(([ttlSeconds, { hits, savedNano }]) => ({
    ttlSeconds,
    hits: hits - now.hits,
    savedNano: savedNano - now.savedNano,
  }))
  const most = Math.max(...longer.map(({ savedNano }) => savedNano))
  const best = longer.find(({ savedNano }) => savedNano > 0 && savedNano >= most * ENOUGH)
  if (!best || best.hits < LEAST_HITS) return undefined
  return { kind: 'cache-rule', model, currentTtlSeconds, requests, ...best }
}
