import type { Sessions } from '../auth/session.ts'
import type { CacheCounts } from '../cache/counts.ts'
import type { Clock } from '../clock.ts'
import type { Environment } from '../config/schema.ts'
import type { OpenVisits } from '../http/open-visits.ts'
import type { AttemptWatcher } from '../llm/ask.ts'
import type { Catalog } from '../llm/catalog.ts'
import type { Provider } from '../llm/types.ts'
import type { Logger } from '../observability/logger.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { ErrorReporter } from '../observability/sentry.ts'
import { slidingWindow } from '../rate-limit/sliding-window.ts'
import type { KeyValue } from '../storage/types.ts'
import { answersOf } from './answers.ts'
import type { Parts } from './pipeline.ts'
import { resilienceOf } from './resilience.ts'
import type { SharedState } from './shared-state.ts'

/** What the pipeline's parts are made of. */
export type Makings = Readonly<{
  env: Environment
  clock: Clock
  logger: Logger
  metrics: Metrics
  catalog: Catalog
  providers: ReadonlyMap<string, Provider>
  sessions: Sessions
  /** Absent where no Redis is configured. */
  shared: SharedState | undefined
  /** All who want to know how attempts went. */
  watchers: readonly AttemptWatcher[]
  visits: OpenVisits
  errors: ErrorReporter
  /** Where this gateway keeps answers, with or without a Redis. */
  memory: KeyValue
  cacheCounts: CacheCounts
}>

const limitsOf = ({ env, clock, shared }: Makings): Parts['limits'] => {
  if (!env.ENABLE_RATE_LIMITING) return undefined
  const chat = { anonymous: env.RATE_LIMIT_ANONYMOUS, guest: env.RATE_LIMIT_GUEST }
  const local = slidingWindow()
  const counter = shared ? shared.counter(local) : local
  return { rates: { chat, rest: env.RATE_LIMIT_REST }, counter, clock }
}

const allOf = (watchers: readonly AttemptWatcher[]): AttemptWatcher => ({
  succeeded: (...attempt) => {
    for (const watcher of watchers) watcher.succeeded(...attempt)
  },
  failed: (...attempt) => {
    for (const watcher of watchers) watcher.failed(...attempt)
  },
})

/** The parts of the pipeline that an environment describes. */
export const partsOf = (makings: Makings): Parts => {
  const { env, clock, catalog, providers, sessions, watchers } = makings
  return {
    clock,
    adminToken: env.ADMIN_TOKEN,
    auth: { sessions, requireApiKey: env.REQUIRE_API_KEY, clock },
    limits: limitsOf(makings),
    prices: catalog,
    answers: answersOf(makings),
    routes: catalog,
    ...resilienceOf(makings),
    providers: { providers, clock, watcher: allOf(watchers) },
  }
}
