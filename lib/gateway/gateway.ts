import { join } from 'node:path'
import packageJson from '../../package.json' with { type: 'json' }
import { type AuditService, requestedBy } from '../audit/service.ts'
import { assertModels } from '../batch/item-models.ts'
import type { BatchService } from '../batch/service.ts'
import type { NewItem } from '../batch/types.ts'
import type { UploadService } from '../batch/upload-service.ts'
import type { V1BatchService } from '../batch/v1/batch-service.ts'
import type { FileService } from '../batch/v1/file-service.ts'
import type { BudgetAdmin } from '../budgets/admin.ts'
import { type CacheAdmin, cacheAdmin } from '../cache/admin.ts'
import type { Caller } from '../caller.ts'
import { type Clock, DAY_MS, systemClock } from '../clock.ts'
import type { Handler } from '../compose.ts'
import type { ConfigFile } from '../config/file-schema.ts'
import { chatLimits, itemLimits } from '../config/limits.ts'
import type { Environment } from '../config/schema.ts'
import { type ConfigReading, type ConfigSource, configSource } from '../config/source.ts'
import { GatewayError } from '../errors.ts'
import { publishAccessRules } from '../http/access-rules.ts'
import type { ChatDefaults } from '../http/dialects/chat.ts'
import type { ListedModel } from '../http/dialects/openai-models.ts'
import type { Reserved } from '../http/dialects/usage.ts'
import { type ApiDocument, apiDocument } from '../http/openapi/document.ts'
import { type WrittenDocument, writtenDocument } from '../http/openapi/response.ts'
import type { ServeDeps } from '../http/serve.ts'
import { type KvService, MAX_VALUE_BYTES } from '../kv/service.ts'
import { runMaintenance } from '../ledger/maintenance.ts'
import type { Recommendations } from '../ledger/recommendations/recommend.ts'
import { UsageService } from '../ledger/service.ts'
import type { Catalog } from '../llm/catalog.ts'
import { countTokens, type TokenCount } from '../llm/count-tokens.ts'
import type { Endpoint } from '../llm/passthrough.ts'
import type { Call, Reply } from '../llm/types.ts'
import { sweepMedia } from '../multipart/media-dir.ts'
import { type HealthReport, reportHealth, withCircuits } from '../observability/health.ts'
import type { Logger } from '../observability/logger.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { ErrorReporter } from '../observability/sentry.ts'
import { Lifecycle } from '../process/lifecycle.ts'
import type { GiveBack } from '../rate-limit/items.ts'
import type { RequestContext } from '../request-context.ts'
import type { ResponseService } from '../responses/service.ts'
import type { Streams } from '../resume/streams.ts'
import type { Alias } from '../routing/alias.ts'
import { countable } from '../tools/loop/request.ts'
import { type ChatLimits, chatBody, uiChatBody } from '../validation/chat.ts'
import type { VendorObjects } from '../vendor-objects/assert-own.ts'
import { buildAudit, recordReload } from './audit.ts'
import { type Batch, buildBatch } from './batch.ts'
import { buildEvaluation, type Evaluation, type Evaluations } from './evaluation.ts'
import { auditBlocks } from './guardrails.ts'
import { auditedKeys, type KeyChanges, type Keys } from './keys.ts'
import { buildKv } from './kv.ts'
import { CurrentConfig, callableModels, liveConfigOf } from './live-config.ts'
import { recommendations } from './recommendations.ts'
import { buildResponses, buildVendorObjects } from './responses.ts'
import { buildRuntime, type Runtime } from './runtime.ts'
import { accessRulesOf, serveDepsOf } from './serving.ts'
import { type GatewayTools, gatewayTools } from './tools.ts'

/** Everything a route may use; one for each process. */
export type Gateway = ServeDeps &
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
    /** Counts the input tokens of a call, without asking the model for an answer. */
    countTokens: (call: Call) => Promise<TokenCount>
    /** Answers a call whose files are on disk: they are not sent twice at a time. */
    answerUpload: Handler<Call, Reply>
    /** The directory of files that pass through. */
    mediaDir: string
    /** The streams that outlive their connection. */
    streams: Streams
    /** The answers of `/v1/responses` that later requests can refer to. */
    responses: ResponseService
    /** Refuses references to objects at a vendor that are not the caller's. */
    vendorObjects: VendorObjects
    /** Usage, and how requests were answered. */
    usage: UsageService
    /** How the usage of the last days would have cost less. */
    recommendations: () => Promise<Recommendations>
    /** What budgets hold back of a caller's money, or of all together. */
    reserved: (caller?: Caller) => Promise<Reserved>
    cache: CacheAdmin
    /** Every action of an admin is appended before it takes place. */
    audit: AuditService
    /** Values that callers store under keys of their own. */
    kv: KvService
    /** The longest of them, in bytes. */
    kvMaxBytes: number
    budgets: BudgetAdmin
    /** The tools that the gateway runs itself. */
    tools: GatewayTools
    /** The service of batch jobs. Throws NOT_FOUND where they are switched off. */
    readonly batch: BatchService
    /** The service of batch uploads. Throws as `batch` does. */
    readonly uploads: UploadService
    /** The files of `/v1`. Throws as `batch` does. */
    readonly files: FileService
    /** The batches of `/v1`. Throws as `batch` does. */
    readonly v1Batches: V1BatchService
    /** Data sets and their runs. Throws as `batch` does. */
    readonly evaluations: Evaluations
    /** Grades one answer, on behalf of a request's caller. */
    evaluate: Evaluation['evaluate']
    chatBody: ReturnType<typeof chatBody>
    uiChatBody: ReturnType<typeof uiChatBody>
    /** The limits of a batch item. */
    itemLimits: ChatLimits
    /** Rejects with INVALID_INPUT that names every item with an unknown model. */
    assertModels: (items: readonly NewItem[]) => Promise<void>
    /** Counts the items of a job submitted as JSON; returns a function that returns them if the job is not accepted. */
    spendItems: (context: RequestContext, count: number) => Promise<GiveBack>
    /** The API as an OpenAPI document, as a value and as it is sent. */
    api: () => ApiDocument
    writtenApi: () => WrittenDocument
    chatDefaults: ChatDefaults
    /** The gateway's name of a model, from its own or the vendor's. */
    modelNamed: (name: string) => string
    /** The model of requests to an endpoint that name none; absent where the endpoint requires a name. */
    defaultModelOf: (endpoint: Endpoint) => string | undefined
    /** The models that a caller may call here, aliases first. */
    callableModels: (caller: Caller) => readonly ListedModel[]
    /** Whether the scopes of the caller's key include a model. */
    mayUseModel: (caller: Caller, model: string) => boolean
    issueSession: () => string
    keys: Keys
    /** Changes keys, for the caller of a request. */
    auditedKeys: (context: RequestContext) => KeyChanges
    health: () => HealthReport
    /** Whether it serves. A lost store makes it degraded, not unready. */
    isReady: () => boolean
  }>

/** Applies the settings, now and whenever the configuration file changes. @throws ConfigurationError */
const applySettings = (
  runtime: Runtime,
  current: CurrentConfig,
  audit: AuditService,
): ConfigSource | undefined => {
  const { env, clock, listings, logger, metrics } = runtime
  const onBlocked = auditBlocks(audit, runtime.database.reportError)
  let applied: ConfigFile | undefined
  const apply = (file: ConfigFile): void => {
    current.replace(liveConfigOf(runtime, file, onBlocked))
    if (applied) recordReload(audit, applied, file, runtime.database.reportError)
    applied = file
  }
  const path = env.GATEWAY_CONFIG
  const onRead = ({ faults, isReload }: ConfigReading): void => {
    metrics.configRead(faults.length === 0 ? 'success' : 'failure', isReload)
    if (faults.length > 0)
      logger.error(
        { path, reason: faults.join('; ') },
        'configuration rejected: the previous one stays in effect',
      )
    else if (isReload) logger.info({ path }, 'configuration applied')
  }
  const source = configSource({ path, listings, onRead, apply }, clock)
  if (!source) apply({})
  return source
}

type HealthDeps = Readonly<{
  runtime: Runtime
  current: CurrentConfig
  isServing: () => boolean
  config: ConfigSource | undefined
  batch: Batch | undefined
}>

const healthOf = ({ runtime, current, isServing, config, batch }: HealthDeps): Gateway['health'] => {
  const { clock, database, shared, resilience } = runtime
  const startedAt = clock.now()
  return () => {
    const { settings, catalog } = current.now
    return reportHealth({
      uptimeSeconds: Math.floor((clock.now() - startedAt) / 1000),
      version: packageJson.version,
      isServing: isServing(),
      limits: settings.rates !== undefined,
      caching: settings.caching.enabled,
      redis: shared?.status(),
      records: batch?.facts() ?? { backend: database.backend, failure: database.failure },
      batch: batch?.facts(),
      config,
      providers: withCircuits(runtime.health.report(), resilience.circuitOf.all(), target =>
        catalog.has(target),
      ),
    })
  }
}

/** The API's document, made at its first use. */
const apiOf = (env: Environment): Pick<Gateway, 'api' | 'writtenApi'> => {
  let document: ApiDocument | undefined
  let written: WrittenDocument | undefined
  const api = (): ApiDocument => {
    document ??= apiDocument({
      version: packageJson.version,
      serverUrl: env.PUBLIC_URL,
      limits: { chat: chatLimits(env), item: itemLimits(env), mostItems: env.BATCH_MAX_ITEMS },
    })
    return document
  }
  return {
    api,
    writtenApi: () => {
      written ??= writtenDocument(api())
      return written
    },
  }
}

const batchOrThrow = (batch: Batch | undefined): Batch => {
  if (batch) return batch
  throw new GatewayError('NOT_FOUND', 'Batches are switched off here.')
}

/** Builds the gateway from an environment. @throws ConfigurationError */
export const buildGateway = async (env: Environment, clock: Clock = systemClock): Promise<Gateway> => {
  const current = new CurrentConfig()
  const access = accessRulesOf(env)
  publishAccessRules(access)
  const runtime = await buildRuntime(env, clock, current)
  const { activeRequests, database, errors, logger, memory, metrics, sessions, shared } = runtime
  const audit = buildAudit(runtime)
  const config = applySettings(runtime, current, audit)
  const mediaDir = join(env.DATA_DIR, 'media')
  await sweepMedia(mediaDir, clock.now())
  const lifecycle = new Lifecycle(activeRequests, clock, logger)
  const isServing = () => lifecycle.state === 'serving'
  const isStopping = () => !isServing()
  lifecycle.closeAtEnd(async () => {
    await Promise.all([runtime.budgets.budgets.drain(), runtime.closeLedger(), runtime.keys.uses.close()])
    await database.close()
  })
  const responses = buildResponses(runtime, database)
  const keepMs = env.LEDGER_KEEP_DAYS * DAY_MS
  const vendorObjects = buildVendorObjects(responses, current, runtime.keys)
  void runMaintenance({
    records: database.records,
    clock,
    keepMs,
    onError: database.reportError,
  })
  const common = { runtime, database, current }
  const evaluation = buildEvaluation(common)
  const batch = env.ENABLE_BATCH
    ? await buildBatch({ ...common, responses, vendorObjects, checks: evaluation.checks, isStopping })
    : undefined
  return {
    ...serveDepsOf({ runtime, current, access, audit }),
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
    get chatDefaults() {
      return current.now.chatDefaults
    },
    modelNamed(name) {
      const { aliases, catalog } = current.now
      return aliases.has(name) ? name : catalog.nameByVendor(name)
    },
    defaultModelOf: endpoint => current.now.catalog.defaultModelOf(endpoint),
    callableModels: caller =>
      callableModels(current.now).filter(({ id }) => current.now.mayUseModel(caller, id)),
    mayUseModel: (caller, model) => current.now.mayUseModel(caller, model),
    get batch() {
      return batchOrThrow(batch).service
    },
    get uploads() {
      return batchOrThrow(batch).uploads
    },
    get files() {
      return batchOrThrow(batch).files
    },
    get v1Batches() {
      return batchOrThrow(batch).v1Batches
    },
    get evaluations() {
      return batchOrThrow(batch).evaluations
    },
    evaluate: evaluation.evaluate,
    answer: call => current.now.answer(call),
    countTokens: async call => {
      current.now.assertModelInScope(call)
      const counted = countable(await current.now.asSent(call), current.now.tools)
      return countTokens({ ...counted, plan: current.now.plan(call) }, runtime)
    },
    answerUpload: call => current.now.answerUpload(call),
    mediaDir,
    audit,
    streams: runtime.streams,
    responses,
    vendorObjects,
    budgets: runtime.budgets.admin,
    usage: new UsageService({ records: database.records, ledger: runtime.ledger, clock, keepMs }),
    recommendations: recommendations(runtime, current),
    reserved: caller => runtime.budgets.reserved(caller),
    cache: cacheAdmin({
      replies: runtime.cache,
      isOn: () => current.now.settings.caching.enabled,
      holds: shared ? undefined : memory.holds,
    }),
    kv: buildKv(runtime),
    kvMaxBytes: MAX_VALUE_BYTES,
    tools: gatewayTools(
      runtime.tools,
      () => current.now.tools,
      () => current.now.toolChecks,
    ),
    chatBody: chatBody(chatLimits(env)),
    uiChatBody: uiChatBody(chatLimits(env)),
    itemLimits: itemLimits(env),
    ...apiOf(env),
    assertModels: items => assertModels(items, current.now),
    spendItems: (context, count) => current.now.spendItems(context, count),
    issueSession: () => sessions.issue(clock.now()),
    keys: runtime.keys,
    auditedKeys: context =>
      auditedKeys(runtime.keys.service, audit, requestedBy(context), runtime.budgets.budgets),
    health: healthOf({ runtime, current, isServing, config, batch }),
    isReady: isServing,
  }
}
