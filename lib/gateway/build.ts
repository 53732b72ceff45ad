import packageJson from '../../package.json' with { type: 'json' }
import { SESSION_COOKIE, signedSessions } from '../auth/session.ts'
import { newCounts } from '../cache/counts.ts'
import { type CacheDesk, cacheDesk } from '../cache/desk.ts'
import { type Clock, systemClock } from '../clock.ts'
import type { Handler } from '../compose.ts'
import { secretsOf } from '../config/env.ts'
import type { ConfigFile } from '../config/file-schema.ts'
import type { Environment } from '../config/schema.ts'
import { Cors } from '../http/cors.ts'
import type { ChatDefaults } from '../http/dialects/chat.ts'
import { OpenVisits } from '../http/open-visits.ts'
import { apiHeaders } from '../http/security-headers.ts'
import type { Host } from '../http/serve.ts'
import type { Prices } from '../ledger/meter.ts'
import type { Catalog } from '../llm/catalog.ts'
import type { Call, Reply } from '../llm/types.ts'
import { createLogger, type Logger } from '../observability/logger.ts'
import { Metrics } from '../observability/metrics.ts'
import { ProviderHealth } from '../observability/provider-health.ts'
import { redactor } from '../observability/redact.ts'
import { type ErrorReporter, reportErrors } from '../observability/sentry.ts'
import type { Streams } from '../resume/streams.ts'
import type { Alias } from '../routing/alias.ts'
import { memoryKeyValue } from '../storage/memory.ts'
import { chatBody } from '../validation/chat.ts'
import type { Visit } from '../visit.ts'
import { answersState } from './answers.ts'
import { configSource } from './config-source.ts'
import { type HealthReport, reportHealth, withCircuits } from './health.ts'
import { Lifecycle } from './lifecycle.ts'
import { type Composed, composed } from './live.ts'
import { buildProviders } from './providers.ts'
import { resilienceState } from './resilience.ts'
import { sessionSecret } from './session-secret.ts'
import { sharedState } from './shared-state.ts'
import { newStanding } from './standing.ts'
import { tellOfEnd } from './visit-end.ts'

/** Everything a route may use. One process has one. */
export type Gateway = Host &
  Readonly<{
    env: Environment
    logger: Logger
    errors: ErrorReporter
    metrics: Metrics
    catalog: Catalog
    /** Names that stand for several models. */
    aliases: ReadonlyMap<string, Alias>
    lifecycle: Lifecycle
    /** Answers a call through the whole pipeline. */
    answer: Handler<Call, Reply>
    /** The answers that outlive their connection. */
    streams: Streams
    /** Lets any other visit in: authenticated, and within its limits. */
    admit: Handler<Visit, Visit>
    /** Lets a visit of the admin API in: within its limits, and with the admin token. */
    administer: Handler<Visit, Visit>
    cache: CacheDesk
    chatBody: ReturnType<typeof chatBody>
    chatDefaults: ChatDefaults
    issueSession: () => string
    health: () => HealthReport
  }>

/** Makes the gateway that an environment describes. */
export const buildGateway = async (env: Environment, clock: Clock = systemClock): Promise<Gateway> => {
  const production = env.NODE_ENV === 'production'
  const redact = redactor(secretsOf(env))
  const logger = createLogger({ level: env.LOG_LEVEL, pretty: env.NODE_ENV === 'development', redact })
  const errors = await reportErrors(env.SENTRY_DSN, {
    environment: env.NODE_ENV,
    release: packageJson.version,
    redact,
  })
  const { providers, shelves } = buildProviders(env, clock)
  const sessions = signedSessions(sessionSecret(env.KEY_PEPPER, env.DATA_DIR, logger))
  const visits = new OpenVisits()
  const memory = memoryKeyValue(env.CACHE_MAX_BYTES, clock)
  const counts = newCounts()
  let current: Composed
  const metrics = new Metrics({
    isKnown: target => current.catalog.has(target),
    openVisits: () => visits.count,
    cache: { counts, ...(memory.holds && { holds: memory.holds }) },
  })
  const health = new ProviderHealth([...providers.keys()])
  const watchers = [health, metrics.attempts]
  const shared = await sharedState({ env, clock, logger, metrics })
  const resilience = resilienceState({ env, clock, logger, metrics, shared }, () => current.settings)
  const store = shared ? shared.keyValue(memory) : memory
  const prices: Prices = { priceOf: target => current.catalog.priceOf(target) }
  const answers = answersState({ env, clock, logger, metrics, errors, visits, store, counts, prices })
  const standing = newStanding({ env, clock, shared, answers, resilience })
  const lasting = { env, clock, logger, metrics, shelves, standing, providers, sessions, watchers }
  const apply = (file: ConfigFile): void => {
    current = composed(lasting, file)
  }
  const config = configSource({ path: env.GATEWAY_CONFIG, shelves, logger, metrics, apply }, clock)
  if (!config) apply({})
  const lifecycle = new Lifecycle(visits, clock, logger)
  const startedAt = clock.now()

  return {
    env,
    clock,
    logger,
    errors,
    visits,
    lifecycle,
    metrics,
    get catalog() {
      return current.catalog
    },
    get aliases() {
      return current.aliases
    },
    get answer() {
      return current.answer
    },
    get admit() {
      return current.admit
    },
    get administer() {
      return current.administer
    },
    get chatDefaults() {
      return current.chatDefaults
    },
    streams: standing.streams,
    cache: cacheDesk({
      answers,
      isOn: () => current.settings.caching.enabled,
      holds: shared ? undefined : memory.holds,
    }),
    cors: new Cors(env.ALLOWED_ORIGINS),
    headers: apiHeaders({ production }),
    sessionCookie: SESSION_COOKIE,
    trustedProxyHops: env.TRUSTED_PROXY_HOPS,
    closed: () => lifecycle.state === 'closed',
    onEnd: tellOfEnd({ logger, metrics, errors, clock }),
    chatBody: chatBody({
      maxPromptCharacters: env.MAX_PROMPT_CHARACTERS,
      maxMessages: env.MAX_MESSAGES,
      maxMessagesCharacters: env.MAX_MESSAGES_CHARACTERS,
      maxOutputTokens: env.MAX_OUTPUT_TOKENS,
    }),
    issueSession: () => sessions.issue(clock.now()),
    health: () =>
      reportHealth({
        uptimeSeconds: Math.floor((clock.now() - startedAt) / 1000),
        version: packageJson.version,
        state: lifecycle.state,
        limits: current.settings.rates !== undefined,
        caching: current.settings.caching.enabled,
        redis: shared?.seen(),
        config: config?.health(),
        providers: withCircuits(health.report(), resilience.circuitOf.all(), target =>
          current.catalog.has(target),
        ),
      }),
  }
}
