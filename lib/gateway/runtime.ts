import packageJson from '../../package.json' with { type: 'json' }
import { Guesses } from '../auth/guesses.ts'
import { type Sessions, signedSessions } from '../auth/session.ts'
import { sessionSecret } from '../auth/session-secret.ts'
import { newCounts } from '../cache/counts.ts'
import type { CacheRuntime } from '../cache/runtime.ts'
import type { Clock } from '../clock.ts'
import { secretsOf } from '../config/env.ts'
import type { Environment } from '../config/schema.ts'
import { FIXED, type Settings } from '../config/settings.ts'
import { ActiveRequests } from '../http/active-requests.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { ProviderListing } from '../llm/catalog.ts'
import { newReplyId } from '../llm/message.ts'
import type { Provider, Target } from '../llm/types.ts'
import { createLogger, type Logger } from '../observability/logger.ts'
import { Metrics } from '../observability/metrics.ts'
import { ProviderHealth } from '../observability/provider-health.ts'
import { redactor } from '../observability/redact.ts'
import { type ErrorReporter, reportErrors } from '../observability/sentry.ts'
import type { Counter } from '../rate-limit/counter.ts'
import { slidingWindow } from '../rate-limit/sliding-window.ts'
import { type KeySlots, localSlots } from '../rate-limit/slots.ts'
import { RateHeadrooms } from '../resilience/defer-background.ts'
import { Streams } from '../resume/streams.ts'
import { Busy, LatencyEwma, type TargetStats } from '../routing/target-stats.ts'
import { memoryKeyValue } from '../storage/memory.ts'
import type { KeyValue } from '../storage/types.ts'
import { Tokenizer } from '../tokenizer/tokenizer.ts'
import { type BudgetRuntime, buildBudgets } from './budgets.ts'
import { buildCacheRuntime } from './cache.ts'
import { type Database, openDatabase } from './database.ts'
import { buildGuardrails, type GuardrailRuntime } from './guardrails.ts'
import { buildKeys, type Keys } from './keys.ts'
import { buildLedger, ledgerSumsOf, unpricedWarnings } from './ledger.ts'
import type { Pipelines } from './pipelines.ts'
import { buildProviders } from './providers.ts'
import { connectRedis, type SharedState } from './redis.ts'
import { type ResilienceRuntime, resilienceRuntime } from './resilience.ts'
import { buildTools, type ToolRuntime } from './tools.ts'

/** A gateway's state from start to stop: it survives a reload of the configuration. */
export type Runtime = Readonly<{
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
  /** The memory for cached answers. */
  memory: KeyValue
  /** Absent where no Redis is configured. */
  shared: SharedState | undefined
  database: Database
  budgets: BudgetRuntime
  /** Usage and cost of every request and attempt. */
  ledger: Ledger
  /** Writes what waits for the database. */
  closeLedger: () => Promise<void>
  /** The counters of the rate limits. */
  counter: Counter
  cache: CacheRuntime
  resilience: ResilienceRuntime
  targetStats: TargetStats
  tokenizer: Tokenizer
  /** Called for a target without a price. */
  onUnpriced: (target: Target) => void
  /** The streams that outlive their connection. */
  streams: Streams
  keys: Keys
  /** The calls in progress of each key. */
  keySlots: KeySlots
  tools: ToolRuntime
  guardrails: GuardrailRuntime
  /** Recent wrong tokens for metrics, which do not block other credentials. */
  metricsGuesses: Guesses
}>

/** The current configuration. Not read before the runtime is complete. */
export type CurrentSettings = Readonly<{
  now: Readonly<{
    refresh: Pipelines['refresh']
  }>
  settings: () => Settings
  /** Whether a model is one of the catalog. */
  isKnown: (target: Target) => boolean
  /** The catalog's name of a model, however a request spelled it. */
  modelName: (target: Target) => string
}>

const reporting = async (env: Environment): Promise<Pick<Runtime, 'logger' | 'errors'>> => {
  const redact = redactor(secretsOf(env))
  const logger = createLogger({ level: env.LOG_LEVEL, pretty: env.NODE_ENV === 'development', redact })
  const { NODE_ENV: environment } = env
  const errors = await reportErrors(env.SENTRY_DSN, { environment, release: packageJson.version, redact })
  return { logger, errors }
}

const sessionsOf = (env: Environment, logger: Logger): Sessions =>
  signedSessions(
    sessionSecret(env.KEY_PEPPER, env.DATA_DIR, code =>
      logger.warn(
        { code, path: env.DATA_DIR },
        'DATA_DIR cannot be used: guest sessions will not outlive this process',
      ),
    ),
  )

const streamsOf = (env: Environment, clock: Clock): Streams =>
  new Streams({
    clock,
    newId: newReplyId,
    graceMs: env.RESUME_GRACE_SECONDS * 1000,
    ...FIXED.streams,
  })

/** @throws ConfigurationError where the database cannot be used */
export const buildRuntime = async (
  env: Environment,
  clock: Clock,
  current: CurrentSettings,
): Promise<Runtime> => {
  const { logger, errors } = await reporting(env)
  const headrooms = new RateHeadrooms()
  const { providers, listings } = buildProviders(env, clock, headrooms, newReplyId)
  const activeRequests = new ActiveRequests()
  const memory = memoryKeyValue(env.CACHE_MAX_BYTES, clock)
  const counts = newCounts()
  const metrics = new Metrics({
    isKnown: current.isKnown,
    activeRequests: () => activeRequests.count,
    cache: { counts, ...(memory.holds && { holds: memory.holds }) },
  })
  const database = await openDatabase({ env, clock, logger })
  const { ledger, close: closeLedger } = buildLedger({
    records: database.records,
    clock,
    logger,
    modelName: current.modelName,
  })
  const common = { env, clock, logger, metrics, ledger }
  const shared = await connectRedis(common)
  const store = shared ? shared.keyValue(memory) : memory
  const local = slidingWindow()
  const counter = shared ? shared.counter(local) : local
  const keys = buildKeys({ env, clock, logger, database })
  const cache = buildCacheRuntime({
    ...common,
    errors,
    activeRequests,
    store,
    counts,
    pipeline: answer => current.now.refresh(answer),
  })
  return {
    ...common,
    errors,
    health: new ProviderHealth([...providers.keys()]),
    providers,
    listings,
    sessions: sessionsOf(env, logger),
    activeRequests,
    memory,
    shared,
    database,
    budgets: await buildBudgets({
      ...common,
      database,
      keys,
      ...ledgerSumsOf(database.records, ledger, clock),
    }),
    keySlots: shared ? shared.slots(localSlots()) : localSlots(),
    keys,
    closeLedger,
    counter,
    guardrails: buildGuardrails(common),
    tools: buildTools({ ...common, counter, store, generations: cache.generations }),
    cache,
    resilience: resilienceRuntime({ ...common, shared }, headrooms, current.settings),
    tokenizer: new Tokenizer(clock),
    onUnpriced: unpricedWarnings(logger),
    targetStats: { latency: new LatencyEwma(clock), busy: new Busy() },
    streams: streamsOf(env, clock),
    metricsGuesses: new Guesses(clock),
  }
}
