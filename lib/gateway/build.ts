import packageJson from '../../package.json' with { type: 'json' }
import { SESSION_COOKIE } from '../auth/session.ts'
import { assertToken } from '../auth/token.ts'
import { cacheAdmin } from '../cache/admin.ts'
import { type Clock, systemClock } from '../clock.ts'
import type { ConfigFile } from '../config/file-schema.ts'
import type { Environment } from '../config/schema.ts'
import { GatewayError } from '../errors.ts'
import { type AccessRules, publishAccessRules } from '../http/access-rules.ts'
import { Cors } from '../http/cors.ts'
import { apiHeaders } from '../http/security-headers.ts'
import type { ServeDeps } from '../http/serve.ts'
import { chatBody } from '../validation/chat.ts'
import { accessRulesOf } from './access-rules.ts'
import { type Batch, buildBatch } from './batch.ts'
import { type ConfigSource, configSource } from './config-source.ts'
import type { Gateway } from './gateway.ts'
import { reportHealth, withCircuits } from './health.ts'
import { assertModels } from './item-models.ts'
import { Lifecycle } from './lifecycle.ts'
import { chatLimits, itemLimits } from './limits.ts'
import { CurrentConfig, liveConfigOf } from './live.ts'
import { reportRequest } from './request-end.ts'
import { buildState, type State } from './state.ts'

/** Applies the settings, now and whenever the configuration file changes. Throws ConfigurationError. */
const takeSettings = (state: State, current: CurrentConfig): ConfigSource | undefined => {
  const { env, clock, listings, logger, metrics, health } = state
  const runtimeDeps = { ...state, listeners: [health, metrics.attempts] }
  const apply = (file: ConfigFile): void => current.take(liveConfigOf(runtimeDeps, file))
  const source = configSource({ path: env.GATEWAY_CONFIG, listings, logger, metrics, apply }, clock)
  if (!source) apply({})
  return source
}

const serveDepsOf = (state: State, lifecycle: Lifecycle, access: AccessRules): ServeDeps => ({
  clock: state.clock,
  activeRequests: state.activeRequests,
  cors: new Cors(access.allowedOrigins),
  headers: apiHeaders(),
  sessionCookie: SESSION_COOKIE,
  access,
  closed: () => lifecycle.state === 'closed',
  onEnd: reportRequest(state),
})

/** A scrape must not fail because another client behind the same proxy guesses tokens. */
const scraperCheck =
  ({ env, runtime }: State): Gateway['assertScraper'] =>
  origin =>
    assertToken({ token: env.METRICS_TOKEN, guesses: runtime.guesses.metrics, locksOut: false }, origin)

type HealthDeps = Readonly<{
  state: State
  current: CurrentConfig
  lifecycle: Lifecycle
  config: ConfigSource | undefined
  batch: Batch | undefined
}>

const healthOf = ({ state, current, lifecycle, config, batch }: HealthDeps): Gateway['health'] => {
  const { clock, shared, runtime } = state
  const startedAt = clock.now()
  return () => {
    const { settings, catalog } = current.now
    const circuits = runtime.resilience.circuitOf.all()
    return reportHealth({
      uptimeSeconds: Math.floor((clock.now() - startedAt) / 1000),
      version: packageJson.version,
      state: lifecycle.state,
      limits: settings.rates !== undefined,
      caching: settings.caching.enabled,
      redis: shared?.status(),
      batch: batch?.facts(),
      config: config?.health(),
      providers: withCircuits(state.health.report(), circuits, target => catalog.has(target)),
    })
  }
}

/** Builds the gateway from an environment. */
export const buildGateway = async (env: Environment, clock: Clock = systemClock): Promise<Gateway> => {
  const current = new CurrentConfig()
  const access = accessRulesOf(env)
  publishAccessRules(access)
  const state = await buildState(env, clock, current)
  const { logger, errors, metrics, activeRequests, sessions, runtime, shared, memory } = state
  const config = takeSettings(state, current)
  const lifecycle = new Lifecycle(activeRequests, clock, logger)
  const isServing = () => lifecycle.state === 'serving'
  const isStopping = () => !isServing()
  const batch = env.ENABLE_BATCH ? await buildBatch({ ...state, current, isStopping }) : undefined
  if (batch) lifecycle.closeAtEnd(batch.close)
  const takingBatches = (): Batch => {
    if (batch) return batch
    throw new GatewayError('NOT_FOUND', 'Batches are switched off here.')
  }
  return {
    ...serveDepsOf(state, lifecycle, access),
    env,
    logger,
    errors,
    metrics,
    lifecycle,
    get catalog() {
      return current.now.catalog
    },
    get aliases() {
      return current.now.aliases
    },
    get answer() {
      return current.now.answer
    },
    get admit() {
      return current.now.admit
    },
    get administer() {
      return current.now.administer
    },
    get chatDefaults() {
      return current.now.chatDefaults
    },
    get batch() {
      return takingBatches().service
    },
    get uploads() {
      return takingBatches().uploads
    },
    assertScraper: scraperCheck(state),
    streams: runtime.streams,
    cache: cacheAdmin({
      replies: runtime.answers,
      isOn: () => current.now.settings.caching.enabled,
      holds: shared ? undefined : memory.holds,
    }),
    chatBody: chatBody(chatLimits(env)),
    itemLimits: itemLimits(env),
    assertModels: items => assertModels(items, current.now),
    spendItems: (context, count) => current.now.spendItems(context, count),
    issueSession: () => sessions.issue(clock.now()),
    health: healthOf({ state, current, lifecycle, config, batch }),
    isReady: isServing,
  }
}
