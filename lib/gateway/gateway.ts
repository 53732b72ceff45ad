import type { BatchService } from '../batch/service.ts'
import type { NewItem } from '../batch/types.ts'
import type { UploadService } from '../batch/upload-service.ts'
import type { CacheAdmin } from '../cache/admin.ts'
import type { Handler } from '../compose.ts'
import type { Environment } from '../config/schema.ts'
import type { ChatDefaults } from '../http/dialects/chat.ts'
import type { ServeDeps } from '../http/serve.ts'
import type { Catalog } from '../llm/catalog.ts'
import type { Call, Reply } from '../llm/types.ts'
import type { Logger } from '../observability/logger.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { ErrorReporter } from '../observability/sentry.ts'
import type { GiveBack } from '../rate-limit/items.ts'
import type { RequestContext } from '../request-context.ts'
import type { Streams } from '../resume/streams.ts'
import type { Alias } from '../routing/alias.ts'
import type { ChatLimits, chatBody } from '../validation/chat.ts'
import type { HealthReport } from './health.ts'
import type { Lifecycle } from './lifecycle.ts'

/** Everything a route may use. One process has one. */
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
    /** The answers that outlive their connection. */
    streams: Streams
    cache: CacheAdmin
    /** Where batches are handed in. Throws NOT_FOUND where they are switched off. */
    readonly batch: BatchService
    /** Where whole files of items are handed in. Throws as `batch` does. */
    readonly uploads: UploadService
    chatBody: ReturnType<typeof chatBody>
    /** What an item of a batch may ask at most. */
    itemLimits: ChatLimits
    /** Rejects with INVALID_INPUT that names every item whose model there is not. */
    assertModels: (items: readonly NewItem[]) => Promise<void>
    /** Counts the items of a job that is handed in as JSON; returns what gives them back if it is not taken after all. */
    spendItems: (context: RequestContext, count: number) => Promise<GiveBack>
    chatDefaults: ChatDefaults
    issueSession: () => string
    health: () => HealthReport
    /** Whether it serves. A store that is lost makes it degraded, not unready. */
    isReady: () => boolean
  }>
