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
import type { ClientInfo, RequestContext } from '../request-context.ts'
import type { Streams } from '../resume/streams.ts'
import type { Alias } from '../routing/alias.ts'
import type { ChatLimits, chatBody } from '../validation/chat.ts'
import type { HealthReport } from './health.ts'
import type { Lifecycle } from './lifecycle.ts'

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
    /** The streams that outlive their connection. */
    streams: Streams
    /** Admits any other request: authenticated, and within its limits. */
    admit: Handler<RequestContext, RequestContext>
    /** Admits a request to the admin API: within its limits, and with the admin token. */
    administer: Handler<RequestContext, RequestContext>
    /** Admits a request for the metrics. Throws UNAUTHENTICATED, and RATE_LIMITED after too many wrong tokens. */
    assertScraper: (origin: ClientInfo) => void
    cache: CacheAdmin
    /** The service of batch jobs. Throws NOT_FOUND where they are switched off. */
    readonly batch: BatchService
    /** The service of batch uploads. Throws as `batch` does. */
    readonly uploads: UploadService
    chatBody: ReturnType<typeof chatBody>
    /** The limits of a batch item. */
    itemLimits: ChatLimits
    /** Rejects with INVALID_INPUT that names every item with an unknown model. */
    assertModels: (items: readonly NewItem[]) => Promise<void>
    /** Counts the items of a job submitted as JSON; returns a function that returns them if the job is not accepted. */
    spendItems: (context: RequestContext, count: number) => Promise<GiveBack>
    chatDefaults: ChatDefaults
    issueSession: () => string
    health: () => HealthReport
    /** Whether it serves. A lost store makes it degraded, not unready. */
    isReady: () => boolean
  }>
