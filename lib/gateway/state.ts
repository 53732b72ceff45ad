import packageJson from '../../package.json' with { type: 'json' }
import { type Sessions, signedSessions } from '../auth/session.ts'
import { newCounts } from '../cache/counts.ts'
import type { Clock } from '../clock.ts'
import { secretsOf } from '../config/env.ts'
import type { Environment } from '../config/schema.ts'
import { ActiveRequests } from '../http/active-requests.ts'
import type { Prices } from '../ledger/meter.ts'
import type { ProviderListing } from '../llm/catalog.ts'
import type { Provider } from '../llm/types.ts'
import { createLogger, type Logger } from '../observability/logger.ts'
import { Metrics } from '../observability/metrics.ts'
import { ProviderHealth } from '../observability/provider-health.ts'
import { redactor } from '../observability/redact.ts'
import { type ErrorReporter, reportErrors } from '../observability/sentry.ts'
import { RateHeadrooms } from '../resilience/defer-background.ts'
import { memoryKeyValue } from '../storage/memory.ts'
import type { KeyValue } from '../storage/types.ts'
import { cacheRuntimeOf } from './answers.ts'
import type { CurrentConfig } from './live.ts'
import { buildProviders } from './providers.ts'
import { resilienceState } from './resilience.ts'
import { sessionSecret } from './session-secret.ts'
import { type SharedState, sharedState } from './shared-state.ts'
import { newRuntime, type Runtime } from './standing.ts'

/** A gateway's state from start to stop, which survives a reload. */
export type State = Readonly<{
  env: Environment
  clock: Clock
  logger: Logger
  errors: ErrorReporter
  metrics: Metrics
  /** The health of each provider, from its attempts. */
  health: ProviderHealth
  providers: ReadonlyMap<string, Provider>
  listings: readonly ProviderListing[]
  sessions: Sessions
  activeRequests: ActiveRequests
  /** The memory for stored answers. */
  memory: KeyValue
  runtime: Runtime
  /** Absent where no Redis is configured. */
  shared: SharedState | undefined
}>

const reporting = async (env: Environment): Promise<Pick<State, 'logger' | 'errors'>> => {
  const redact = redactor(secretsOf(env))
  const logger = createLogger({ level: env.LOG_LEVEL, pretty: env.NODE_ENV === 'development', redact })
  const { NODE_ENV: environment } = env
  const errors = await reportErrors(env.SENTRY_DSN, { environment, release: packageJson.version, redact })
  return { logger, errors }
}

/** @param current the current settings; not called before the state is complete */
export const buildState = async (env: Environment, clock: Clock, current: CurrentConfig): Promise<State> => {
  const { logger, errors } = await reporting(env)
  const headrooms = new RateHeadrooms()
  const { providers, listings } = buildProviders(env, clock, headrooms)
  const activeRequests = new ActiveRequests()
  const memory = memoryKeyValue(env.CACHE_MAX_BYTES, clock)
  const counts = newCounts()
  const metrics = new Metrics({
    isKnown: target => current.now.catalog.has(target),
    activeRequests: () => activeRequests.count,
    cache: { counts, ...(memory.holds && { holds: memory.holds }) },
  })
  const watching = { env, clock, logger, metrics }
  const shared = await sharedState(watching)
  const resilience = resilienceState({ ...watching, shared }, headrooms, () => current.now.settings)
  const store = shared ? shared.keyValue(memory) : memory
  const prices: Prices = { priceOf: target => current.now.catalog.priceOf(target) }
  const answers = cacheRuntimeOf({ ...watching, errors, activeRequests, store, counts, prices })
  return {
    ...watching,
    errors,
    health: new ProviderHealth([...providers.keys()]),
    providers,
    listings,
    sessions: signedSessions(sessionSecret(env.KEY_PEPPER, env.DATA_DIR, logger)),
    activeRequests,
    memory,
    runtime: newRuntime({ env, clock, shared, answers, resilience }),
    shared,
  }
}
