import type { Sessions } from '../auth/session.ts'
import type { Clock } from '../clock.ts'
import type { Environment } from '../config/schema.ts'
import type { AttemptWatcher } from '../llm/ask.ts'
import type { Catalog } from '../llm/catalog.ts'
import type { Provider } from '../llm/types.ts'
import type { Logger } from '../observability/logger.ts'
import type { Metrics } from '../observability/metrics.ts'
import { slidingWindow } from '../rate-limit/sliding-window.ts'
import { Streams } from '../resume/streams.ts'
import { memoryKeyValue } from '../storage/memory.ts'
import type { Parts } from './pipeline.ts'
import { newId } from './providers.ts'
import { resilienceOf } from './resilience.ts'

/** What the pipeline's parts are made of. */
export type Makings = Readonly<{
  env: Environment
  clock: Clock
  logger: Logger
  metrics: Metrics
  catalog: Catalog
  providers: ReadonlyMap<string, Provider>
  sessions: Sessions
  /** All who want to know how attempts went. */
  watchers: readonly AttemptWatcher[]
}>

const limitsOf = ({ env, clock }: Makings): Parts['limits'] => {
  if (!env.ENABLE_RATE_LIMITING) return undefined
  const chat = { anonymous: env.RATE_LIMIT_ANONYMOUS, guest: env.RATE_LIMIT_GUEST }
  return { rates: { chat, rest: env.RATE_LIMIT_REST }, counter: slidingWindow(), clock }
}

const answersOf = ({ env, clock }: Makings): Parts['answers'] => {
  if (!env.ENABLE_CACHING) return undefined
  return { store: memoryKeyValue(env.CACHE_MAX_BYTES, clock), ttlMs: env.CACHE_TTL_SECONDS * 1000, clock }
}

const KEPT_MS = 300_000
const MOST_STREAMS = 1_000
const MOST_BYTES = 64 * 1024 * 1024

const streamsOf = ({ env, clock }: Makings): Streams =>
  new Streams({
    clock,
    newId,
    graceMs: env.RESUME_GRACE_SECONDS * 1000,
    keptMs: KEPT_MS,
    most: MOST_STREAMS,
    mostBytes: MOST_BYTES,
  })

const allOf = (watchers: readonly AttemptWatcher[]): AttemptWatcher => ({
  succeeded: (...attempt) => {
    for (const watcher of watchers) watcher.succeeded(...attempt)
  },
  failed: (...attempt) => {
    for (const watcher of watchers) watcher.failed(...attempt)
  },
})

/** The parts of the pipeline that an environment describes. */
export const partsOf = (makings: Makings): Parts & { streams: Streams } => {
  const { env, clock, catalog, providers, sessions, watchers } = makings
  return {
    clock,
    auth: { sessions, requireApiKey: env.REQUIRE_API_KEY, clock },
    limits: limitsOf(makings),
    prices: catalog,
    answers: answersOf(makings),
    streams: streamsOf(makings),
    routes: catalog,
    ...resilienceOf(makings),
    providers: { providers, clock, watcher: allOf(watchers) },
  }
}
