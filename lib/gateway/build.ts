import packageJson from '../../package.json' with { type: 'json' }
import { SESSION_COOKIE } from '../auth/session.ts'
import { assertToken } from '../auth/token.ts'
import { cacheDesk } from '../cache/desk.ts'
import { type Clock, systemClock } from '../clock.ts'
import type { ConfigFile } from '../config/file-schema.ts'
import type { Environment } from '../config/schema.ts'
import { GatewayError } from '../errors.ts'
import { type AccessRules, publishAccessRules } from '../http/access-rules.ts'
import { Cors } from '../http/cors.ts'
import { apiHeaders } from '../http/security-headers.ts'
import type { Host } from '../http/serve.ts'
import { chatBody } from '../validation/chat.ts'
import { accessRulesOf } from './access-rules.ts'
import { type Batch, buildBatch } from './batch.ts'
import { type ConfigSource, configSource } from './config-source.ts'
import type { Gateway } from './gateway.ts'
import { reportHealth, withCircuits } from './health.ts'
import { assertModels } from './item-models.ts'
import { Lifecycle } from './lifecycle.ts'
import { chatLimits, itemLimits } from './limits.ts'
import { composed, Live } from './live.ts'
import { buildState, type State } from './state.ts'
import { tellOfEnd } from './visit-end.ts'

/** Takes the settings over, now and whenever the configuration file changes. Throws ConfigurationError. */
const takeSettings = (state: State, live: Live): ConfigSource | undefined => {
  const { env, clock, shelves, logger, metrics, health } = state
  const lasting = { ...state, watchers: [health, metrics.attempts] }
  const apply = (file: ConfigFile): void => live.take(composed(lasting, file))
  const source = configSource({ path: env.GATEWAY_CONFIG, shelves, logger, metrics, apply }, clock)
  if (!source) apply({})
  return source
}

const hostOf = (state: State, lifecycle: Lifecycle, access: AccessRules): Host => ({
  clock: state.clock,
  visits: state.visits,
  cors: new Cors(access.allowedOrigins),
  headers: apiHeaders(),
  sessionCookie: SESSION_COOKIE,
  access,
  closed: () => lifecycle.state === 'closed',
  onEnd: tellOfEnd(state),
})

/** A scrape must not be lost to somebody who guesses behind the same proxy. */
const scraperCheck =
  ({ env, standing }: State): Gateway['assertScraper'] =>
  origin =>
    assertToken({ token: env.METRICS_TOKEN, guesses: standing.guesses.metrics, locksOut: false }, origin)

type HealthMakings = Readonly<{
  state: State
  live: Live
  lifecycle: Lifecycle
  config: ConfigSource | undefined
  batch: Batch | undefined
}>

const healthOf = ({ state, live, lifecycle, config, batch }: HealthMakings): Gateway['health'] => {
  const { clock, shared, standing } = state
  const startedAt = clock.now()
  return () => {
    const { settings, catalog } = live.now
    const circuits = standing.resilience.circuitOf.all()
    return reportHealth({
      uptimeSeconds: Math.floor((clock.now() - startedAt) / 1000),
      version: packageJson.version,
      state: lifecycle.state,
      limits: settings.rates !== undefined,
      caching: settings.caching.enabled,
      redis: shared?.seen(),
      batch: batch?.facts(),
      config: config?.health(),
      providers: withCircuits(state.health.report(), circuits, target => catalog.has(target)),
    })
  }
}

/** Makes the gateway that an environment describes. */
export const buildGateway = async (env: Environment, clock: Clock = systemClock): Promise<Gateway> => {
  const live = new Live()
  const access = accessRulesOf(env)
  publishAccessRules(access)
  const state = await buildState(env, clock, live)
  const { logger, errors, metrics, visits, sessions, standing, shared, memory } = state
  const config = takeSettings(state, live)
  const lifecycle = new Lifecycle(visits, clock, logger)
  const isServing = () => lifecycle.state === 'serving'
  const isStopping = () => !isServing()
  const batch = env.ENABLE_BATCH ? await buildBatch({ ...state, live, isStopping }) : undefined
  if (batch) lifecycle.closeAtEnd(batch.close)
  const takingBatches = (): Batch => {
    if (batch) return batch
    throw new GatewayError('NOT_FOUND', 'Batches are switched off here.')
  }
  return {
    ...hostOf(state, lifecycle, access),
    env,
    logger,
    errors,
    metrics,
    lifecycle,
    get catalog() {
      return live.now.catalog
    },
    get aliases() {
      return live.now.aliases
    },
    get answer() {
      return live.now.answer
    },
    get admit() {
      return live.now.admit
    },
    get administer() {
      return live.now.administer
    },
    get chatDefaults() {
      return live.now.chatDefaults
    },
    get batch() {
      return takingBatches().desk
    },
    get uploads() {
      return takingBatches().uploads
    },
    assertScraper: scraperCheck(state),
    streams: standing.streams,
    cache: cacheDesk({
      answers: standing.answers,
      isOn: () => live.now.settings.caching.enabled,
      holds: shared ? undefined : memory.holds,
    }),
    chatBody: chatBody(chatLimits(env)),
    itemLimits: itemLimits(env),
    assertModels: items => assertModels(items, live.now),
    spendItems: (visit, count) => live.now.spendItems(visit, count),
    issueSession: () => sessions.issue(clock.now()),
    health: healthOf({ state, live, lifecycle, config, batch }),
    isReady: isServing,
  }
}
