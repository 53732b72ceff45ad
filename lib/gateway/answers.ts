import { randomBytes } from 'node:crypto'
import type { CacheCounts } from '../cache/counts.ts'
import { treatments } from '../cache/rules.ts'
import { type CacheState, cacheState } from '../cache/state.ts'
import type { OpenVisits } from '../http/open-visits.ts'
import { meter, type Prices } from '../ledger/meter.ts'
import type { ErrorReporter } from '../observability/sentry.ts'
import type { KeyValue } from '../storage/types.ts'
import { background } from './background.ts'
import type { Makings } from './parts.ts'
import type { Parts } from './pipeline.ts'
import { tellOfRefresh } from './visit-end.ts'

/** No answer takes more of the store than this share, nor more than a mebibyte. */
const LARGEST_SHARE = 1 / 16
const LARGEST_BYTES = 1_048_576
const ID_BYTES = 12

export type AnswersMakings = Pick<Makings, 'env' | 'clock' | 'logger' | 'metrics'> &
  Readonly<{
    store: KeyValue
    counts: CacheCounts
    visits: OpenVisits
    errors: ErrorReporter
    /** The prices of the moment. */
    prices: Prices
  }>

/** The answers that are kept and those under way, whatever becomes of the settings. */
export const answersState = (makings: AnswersMakings): CacheState => {
  const { env, clock, store, counts, visits, prices } = makings
  return cacheState({
    store,
    mostBytes: Math.min(LARGEST_BYTES, env.CACHE_MAX_BYTES * LARGEST_SHARE),
    counts,
    clock,
    background: background({
      visits,
      clock,
      timeoutMs: env.REQUEST_TIMEOUT_MS,
      price: meter(prices),
      onEnd: tellOfRefresh(makings),
    }),
    newId: () => randomBytes(ID_BYTES).toString('base64url'),
  })
}

/** What the cache is made of; absent where it is switched off. */
export const answersOf = ({ settings: { caching }, standing, clock }: Makings): Parts['answers'] =>
  caching.enabled
    ? { ...standing.answers, treatmentOf: treatments(caching.file, caching.defaults), clock }
    : undefined
