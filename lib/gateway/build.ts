import packageJson from '../../package.json' with { type: 'json' }
import { SESSION_COOKIE, signedSessions } from '../auth/session.ts'
import { newCounts } from '../cache/counts.ts'
import { type CacheDesk, cacheDesk } from '../cache/desk.ts'
import { type Clock, systemClock } from '../clock.ts'
import type { Handler } from '../compose.ts'
import { secretsOf } from '../config/env.ts'
import type { Environment } from '../config/schema.ts'
import { Cors } from '../http/cors.ts'
import type { ChatDefaults } from '../http/dialects/chat.ts'
import { OpenVisits } from '../http/open-visits.ts'
import { apiHeaders } from '../http/security-headers.ts'
import type { Host } from '../http/serve.ts'
import type { Catalog } from '../llm/catalog.ts'
import type { Call, Reply } from '../llm/types.ts'
import { createLogger, type Logger } from '../observability/logger.ts'
import { Metrics } from '../observability/metrics.ts'
import { ProviderHealth } from '../observability/provider-health.ts'
import { redactor } from '../observability/redact.ts'
import { type ErrorReporter, reportErrors } from '../observability/sentry.ts'
import { memoryKeyValue } from '../storage/memory.ts'
import { chatBody } from '../validation/chat.ts'
import type { Visit } from '../visit.ts'
import { type HealthReport, reportHealth, withCircuits } from './health.ts'
import { Lifecycle } from './lifecycle.ts'
import { partsOf } from './parts.ts'
import { administering, admitting, answering } from './pipeline.ts'
import { buildProviders } from './providers.ts'
import { sessionSecret } from './session-secret.ts'
import { sharedState } from './shared-state.ts'
import { tellOfEnd } from './visit-end.ts'

/** Everything a route may use. One process has one. */
export type Gateway = Host &
  Readonly<{
    env: Environment
    logger: Logger
    errors: ErrorReporter
    metrics: Metrics
    catalog: Catalog
    lifecycle: Lifecycle
    /** Answers a call through the whole pipeline. */
    answer: Handler<Call, Reply>
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
  const { providers, catalog } = buildProviders(env, clock)
  const sessions = signedSessions(sessionSecret(env.KEY_PEPPER, env.DATA_DIR, logger))
  const visits = new OpenVisits()
  const memory = memoryKeyValue(env.CACHE_MAX_BYTES, clock)
  const cacheCounts = newCounts()
  const metrics = new Metrics({
    isKnown: target => catalog.has(target),
    openVisits: () => visits.count,
    cache: { counts: cacheCounts, ...(memory.holds && { holds: memory.holds }) },
  })
  const health = new ProviderHealth([...providers.keys()])
  const watchers = [health, metrics.attempts]
  const shared = await sharedState({ env, clock, logger, metrics })
  const parts = partsOf({
    env,
    clock,
    logger,
    errors,
    metrics,
    catalog,
    providers,
    sessions,
    watchers,
    shared,
    visits,
    memory,
    cacheCounts,
  })
  const lifecycle = new Lifecycle(visits, clock, logger)
  const startedAt = clock.now()

  return {
    env,
    clock,
    logger,
    errors,
    visits,
    lifecycle,
    catalog,
    metrics,
    cors: new Cors(env.ALLOWED_ORIGINS),
    headers: apiHeaders({ production }),
    sessionCookie: SESSION_COOKIE,
    trustedProxyHops: env.TRUSTED_PROXY_HOPS,
    closed: () => lifecycle.state === 'closed',
    onEnd: tellOfEnd({ logger, metrics, errors, clock }),
    answer: answering(parts),
    admit: admitting(parts),
    administer: administering(parts),
    cache: cacheDesk(parts.answers, shared ? undefined : memory.holds),
    chatBody: chatBody({
      maxPromptCharacters: env.MAX_PROMPT_CHARACTERS,
      maxMessages: env.MAX_MESSAGES,
      maxMessagesCharacters: env.MAX_MESSAGES_CHARACTERS,
      maxOutputTokens: env.MAX_OUTPUT_TOKENS,
    }),
    chatDefaults: {
      model: catalog.defaultModel,
      maxResponseBytes: env.MAX_RESPONSE_BYTES,
      requestTimeoutMs: env.REQUEST_TIMEOUT_MS,
    },
    issueSession: () => sessions.issue(clock.now()),
    health: () =>
      reportHealth({
        uptimeSeconds: Math.floor((clock.now() - startedAt) / 1000),
        version: packageJson.version,
        state: lifecycle.state,
        limits: parts.limits !== undefined,
        caching: parts.answers !== undefined,
        redis: shared?.seen(),
        providers: withCircuits(health.report(), parts.circuitOf.all(), target => catalog.has(target)),
      }),
  }
}
