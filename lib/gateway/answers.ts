import { randomBytes } from 'node:crypto'
import type { CacheCounts } from '../cache/counts.ts'
import { cacheRules } from '../cache/rules.ts'
import { type CacheRuntime, cacheRuntime } from '../cache/runtime.ts'
import type { ActiveRequests } from '../http/active-requests.ts'
import { meter, type Prices } from '../ledger/meter.ts'
import type { ErrorReporter } from '../observability/sentry.ts'
import type { KeyValue } from '../storage/types.ts'
import { background } from './background.ts'
import type { WiringDeps } from './parts.ts'
import type { PipelineDeps } from './pipelines.ts'
import { reportRefresh } from './request-end.ts'

/** The largest share of the store for one answer, besides the limit of a mebibyte. */
const LARGEST_SHARE = 1 / 16
const LARGEST_BYTES = 1_048_576
const ID_BYTES = 12

export type CacheWiringDeps = Pick<WiringDeps, 'env' | 'clock' | 'logger' | 'metrics'> &
  Readonly<{
    store: KeyValue
    counts: CacheCounts
    activeRequests: ActiveRequests
    errors: ErrorReporter
    /** The current prices. */
    prices: Prices
  }>

/** The stored answers and those in progress, which survive a reload. */
export const cacheRuntimeOf = (deps: CacheWiringDeps): CacheRuntime => {
  const { env, clock, store, counts, activeRequests, prices } = deps
  return cacheRuntime({
    store,
    mostBytes: Math.min(LARGEST_BYTES, env.CACHE_MAX_BYTES * LARGEST_SHARE),
    counts,
    clock,
    background: background({
      activeRequests,
      clock,
      timeoutMs: env.REQUEST_TIMEOUT_MS,
      price: meter(prices),
      onEnd: reportRefresh(deps),
    }),
    newId: () => randomBytes(ID_BYTES).toString('base64url'),
  })
}

/** The cache's parts; absent where it is switched off. */
export const cacheDepsOf = ({ settings: { caching }, runtime, clock }: WiringDeps): PipelineDeps['cache'] =>
  caching.enabled
    ? { ...runtime.answers, ruleOf: cacheRules(caching.file, caching.defaults), clock }
    : undefined
