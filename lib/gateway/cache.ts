import { randomBytes } from 'node:crypto'
import type { CacheCounts } from '../cache/counts.ts'
import { type BackgroundDeps, background } from '../cache/refreshes.ts'
import { cacheRules } from '../cache/rules.ts'
import { type CacheRuntime, cacheRuntime } from '../cache/runtime.ts'
import type { Clock } from '../clock.ts'
import type { Environment } from '../config/schema.ts'
import type { CachingSettings } from '../config/settings.ts'
import type { ActiveRequests } from '../http/active-requests.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Logger } from '../observability/logger.ts'
import type { Metrics } from '../observability/metrics.ts'
import { reportRefresh } from '../observability/request-record.ts'
import type { ErrorReporter } from '../observability/sentry.ts'
import type { KeyValue } from '../storage/types.ts'
import type { PipelineDeps } from './pipelines.ts'

/** The largest share of the store for one answer, besides the limit of a mebibyte. */
const LARGEST_SHARE = 1 / 16
const LARGEST_BYTES = 1_048_576
const ID_BYTES = 12

export type CacheWiringDeps = Readonly<{
  env: Environment
  clock: Clock
  logger: Logger
  metrics: Metrics
  errors: ErrorReporter
  activeRequests: ActiveRequests
  store: KeyValue
  counts: CacheCounts
  ledger: Ledger
  pipeline: BackgroundDeps['pipeline']
}>

/** The cached answers and those in progress. They survive a reload of the configuration. */
export const buildCacheRuntime = (deps: CacheWiringDeps): CacheRuntime => {
  const { env, clock, store, counts, activeRequests, pipeline } = deps
  return cacheRuntime({
    store,
    mostBytes: Math.min(LARGEST_BYTES, env.CACHE_MAX_BYTES * LARGEST_SHARE),
    counts,
    clock,
    background: background({
      open: client => activeRequests.open(client),
      clock,
      timeoutMs: env.REQUEST_TIMEOUT_MS,
      pipeline,
      onEnd: reportRefresh(deps),
    }),
    newId: () => randomBytes(ID_BYTES).toString('base64url'),
  })
}

/** The dependencies of the cache policy; undefined where caching is switched off. */
export const cacheDepsOf = (
  caching: CachingSettings,
  runtime: CacheRuntime,
  clock: Clock,
): PipelineDeps['cache'] =>
  caching.enabled ? { ...runtime, rules: cacheRules(caching.file, caching.defaults), clock } : undefined
