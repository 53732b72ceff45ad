import type { BatchDesk } from '../batch/desk.ts'
import type { NewItem } from '../batch/types.ts'
import type { UploadDesk } from '../batch/upload-desk.ts'
import type { CacheDesk } from '../cache/desk.ts'
import type { Handler } from '../compose.ts'
import type { Environment } from '../config/schema.ts'
import type { ChatDefaults } from '../http/dialects/chat.ts'
import type { Host } from '../http/serve.ts'
import type { Catalog } from '../llm/catalog.ts'
import type { Call, Reply } from '../llm/types.ts'
import type { Logger } from '../observability/logger.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { ErrorReporter } from '../observability/sentry.ts'
import type { Streams } from '../resume/streams.ts'
import type { Alias } from '../routing/alias.ts'
import type { ChatLimits, chatBody } from '../validation/chat.ts'
import type { Visit } from '../visit.ts'
import type { HealthReport } from './health.ts'
import type { Lifecycle } from './lifecycle.ts'

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
    /** Where batches are handed in. Throws NOT_FOUND where they are switched off. */
    readonly batch: BatchDesk
    /** Where whole files of items are handed in. Throws as `batch` does. */
    readonly uploads: UploadDesk
    chatBody: ReturnType<typeof chatBody>
    /** What an item of a batch may ask at most. */
    itemLimits: ChatLimits
    /** Throws INVALID_INPUT that names every item whose model there is not. */
    assertModels: (items: readonly NewItem[]) => Promise<void>
    chatDefaults: ChatDefaults
    issueSession: () => string
    health: () => HealthReport
    /** Whether it can serve all it is there for. */
    isReady: () => boolean
  }>
