import type { Sessions } from '../auth/session.ts'
import type { Clock } from '../clock.ts'
import type { Environment } from '../config/schema.ts'
import type { Settings } from '../config/settings.ts'
import type { AttemptWatcher } from '../llm/ask.ts'
import type { Catalog } from '../llm/catalog.ts'
import type { Provider } from '../llm/types.ts'
import type { Logger } from '../observability/logger.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { Alias } from '../routing/alias.ts'
import { answersOf } from './answers.ts'
import type { Parts } from './pipeline.ts'
import { resilienceOf } from './resilience.ts'
import type { Standing } from './standing.ts'

/** What the pipeline's parts are made of. */
export type Makings = Readonly<{
  env: Environment
  clock: Clock
  logger: Logger
  metrics: Metrics
  settings: Settings
  catalog: Catalog
  aliases: ReadonlyMap<string, Alias>
  /** What outlives a change of settings. */
  standing: Standing
  providers: ReadonlyMap<string, Provider>
  sessions: Sessions
  /** All who want to know how attempts went. */
  watchers: readonly AttemptWatcher[]
}>

const limitsOf = ({ settings: { rates }, standing: { counter }, clock }: Makings): Parts['limits'] =>
  rates && { rates, counter, clock }

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
  const { env, clock, catalog, aliases, standing, providers, sessions, watchers } = makings
  return {
    clock,
    admin: { token: env.ADMIN_TOKEN, guesses: standing.guesses.admin, locksOut: true },
    auth: { sessions, requireApiKey: env.REQUIRE_API_KEY, clock },
    limits: limitsOf(makings),
    prices: catalog,
    answers: answersOf(makings),
    streams: standing.streams,
    routes: { plan: name => catalog.plan(name), aliases, seen: standing.seen },
    ...resilienceOf(makings),
    providers: { providers, clock, watcher: allOf(watchers) },
  }
}
