import type { Sessions } from '../auth/session.ts'
import type { Clock } from '../clock.ts'
import type { Environment } from '../config/schema.ts'
import type { Settings } from '../config/settings.ts'
import type { AttemptListener } from '../llm/ask.ts'
import type { Catalog } from '../llm/catalog.ts'
import type { Provider } from '../llm/types.ts'
import type { Logger } from '../observability/logger.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { Alias } from '../routing/alias.ts'
import { cacheDepsOf } from './answers.ts'
import type { PipelineDeps } from './pipelines.ts'
import { resilienceOf } from './resilience.ts'
import type { Runtime } from './standing.ts'

/** The inputs of the pipeline's parts. */
export type WiringDeps = Readonly<{
  env: Environment
  clock: Clock
  logger: Logger
  metrics: Metrics
  settings: Settings
  catalog: Catalog
  aliases: ReadonlyMap<string, Alias>
  /** Everything that survives a reload. */
  runtime: Runtime
  providers: ReadonlyMap<string, Provider>
  sessions: Sessions
  /** The listeners to attempts. */
  listeners: readonly AttemptListener[]
}>

const limitsOf = ({ settings: { rates }, runtime: { counter }, clock }: WiringDeps): PipelineDeps['limits'] =>
  rates && { rates, counter, clock }

const allOf = (listeners: readonly AttemptListener[]): AttemptListener => ({
  succeeded: (...attempt) => {
    for (const listener of listeners) listener.succeeded(...attempt)
  },
  failed: (...attempt) => {
    for (const listener of listeners) listener.failed(...attempt)
  },
})

/** The parts of the pipeline that an environment describes. */
export const pipelineDepsOf = (deps: WiringDeps): PipelineDeps => {
  const { env, clock, catalog, aliases, runtime, providers, sessions, listeners } = deps
  return {
    clock,
    admin: { token: env.ADMIN_TOKEN, guesses: runtime.guesses.admin, locksOut: true },
    auth: { sessions, requireApiKey: env.REQUIRE_API_KEY, clock },
    limits: limitsOf(deps),
    prices: catalog,
    cache: cacheDepsOf(deps),
    streams: runtime.streams,
    routes: { plan: name => catalog.plan(name), aliases, seen: runtime.seen },
    ...resilienceOf(deps),
    providers: { providers, clock, listener: allOf(listeners) },
  }
}
