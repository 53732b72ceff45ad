import { type Clock, DAY_MS } from '../../clock.ts'
import type { Records } from '../../storage/records/records.ts'
import { type CurrentTtl, RepeatedQuestions } from './cache-rule.ts'
import { CheaperModels } from './cheaper-model.ts'
import { forEachPrefix, forEachRequest } from './facts.ts'
import { idleKeys, type KeyFacts } from './idle-keys.ts'
import { RepeatedPrefixes } from './prompt-cache.ts'
import type { PriceOf, Recommendation } from './types.ts'

const DAYS = 7
/** More rows are not read: a page of a thousand takes about 5 ms. */
const MOST_ROWS = 50_000
const MOST_RECOMMENDATIONS = 100

export type RecommendDeps = Readonly<{
  records: Records
  clock: Pick<Clock, 'now'>
  priceOf: PriceOf
  ttlOf: CurrentTtl
  keys: () => Promise<readonly KeyFacts[]>
}>

export type Recommendations = Readonly<{
  /** Clock times in milliseconds: what was looked at. */
  from: number
  to: number
  requests: number
  recommendations: readonly Recommendation[]
}>

/** Recommendations by the ledger of the last 7 days, the newest 50,000 rows of it: those that save most come first. */
export const recommend = async (deps: RecommendDeps): Promise<Recommendations> => {
  const { records, clock, priceOf, ttlOf, keys } = deps
  const to = clock.now()
  const scope = { from: Math.floor(to - DAYS * DAY_MS), mostRows: MOST_ROWS }
  const [models, questions, prefixes] = [new CheaperModels(), new RepeatedQuestions(), new RepeatedPrefixes()]
  let from = to
  const requests = await forEachRequest(records, scope, fact => {
    models.add(fact)
    questions.add(fact)
    from = fact.at
  })
  await forEachPrefix(records, scope, fact => prefixes.add(fact))
  const found = [
    ...models.found(priceOf, to),
    ...questions.found(ttlOf),
    ...prefixes.found(priceOf),
    ...idleKeys(await keys(), to),
  ]
  const recommendations = found.toSorted((a, b) => b.savedNano - a.savedNano).slice(0, MOST_RECOMMENDATIONS)
  return { from: requests < MOST_ROWS ? scope.from : from, to, requests, recommendations }
}
