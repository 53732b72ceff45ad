import { join } from 'node:path'
import { ChangeNotifier } from '../batch/change-notifier.ts'
import { heartbeat } from '../batch/heartbeat.ts'
import { Overview } from '../batch/overview.ts'
import { batchRecords } from '../batch/records/records.ts'
import { running } from '../batch/run.ts'
import { BatchService } from '../batch/service.ts'
import type { BatchRecords, Claim } from '../batch/types.ts'
import { UploadService } from '../batch/upload-service.ts'
import { webhookPost } from '../batch/webhook/post.ts'
import { isPublicAddress } from '../batch/webhook/public-address.ts'
import { WebhookSender } from '../batch/webhook/sender.ts'
import { localWorkSignal } from '../batch/work-signal/local.ts'
import type { WorkSignal } from '../batch/work-signal/work-signal.ts'
import { Worker } from '../batch/worker.ts'
import { type Clock, sleep } from '../clock.ts'
import { ConfigurationError } from '../config/env.ts'
import type { Environment } from '../config/schema.ts'
import type { ActiveRequests } from '../http/active-requests.ts'
import { jobJson } from '../http/dialects/batch.ts'
import type { BatchFacts } from '../observability/batch-health.ts'
import type { BatchMetrics } from '../observability/batch-metrics.ts'
import type { Logger } from '../observability/logger.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { ErrorReporter } from '../observability/sentry.ts'
import { RecordsUnusable } from '../storage/records/fault.ts'
import { openRecords } from '../storage/records/open.ts'
import type { Records } from '../storage/records/records.ts'
import { sharedClock } from '../storage/records/shared-clock.ts'
import { modelFault, openAiModel } from './item-models.ts'
import { itemLimits } from './limits.ts'
import type { CurrentConfig } from './live.ts'
import { reportRecordsError, watched } from './records-errors.ts'
import { reportBatchItem } from './request-end.ts'

const LEASE_MS = 20_000
const HOUSEKEEPING_MS = 600_000
const DAY_MS = 86_400_000
/** A submission that has not finished after so long never will. */
const SUBMISSION_MS = 3_600_000

export type Batch = Readonly<{
  service: BatchService
  uploads: UploadService
  facts: () => BatchFacts
  /** Closes the database after all pending operations. */
  close: () => Promise<void>
}>

export type BatchWiringDeps = Readonly<{
  env: Environment
  clock: Clock
  logger: Logger
  metrics: Metrics
  errors: ErrorReporter
  activeRequests: ActiveRequests
  current: CurrentConfig
  isStopping: () => boolean
}>

const opened = async ({ env, clock, logger }: BatchWiringDeps): Promise<Records> => {
  const backend = {
    databaseUrl: env.DATABASE_URL,
    dataDir: env.DATA_DIR,
    waitMs: env.DATABASE_WAIT_SECONDS * 1000,
    onWait: (text: string) => void process.stderr.write(`${text}\n`),
    onLost: (err: Error) =>
      logger.error({ err, component: 'records' }, 'the thread of the database ended and is started again'),
  }
  try {
    return await openRecords(backend, clock)
  } catch (error) {
    if (!(error instanceof RecordsUnusable)) throw error
    throw new ConfigurationError([`  ${error.message}; ENABLE_BATCH=false runs without a database`])
  }
}

const workSignalOf = async ({ env, logger }: BatchWiringDeps): Promise<WorkSignal> => {
  const { REDIS_URL: url } = env
  if (url === undefined) return localWorkSignal()
  const { redisWorkSignal } = await import('../batch/work-signal/redis.ts')
  // The shared state reports a failing Redis, and no item is lost by it.
  return redisWorkSignal({
    url,
    onError: err => logger.debug({ err }, 'the work signal failed in Redis'),
  })
}

type LiveConfigDeps = BatchWiringDeps & Readonly<{ onError: (error: unknown) => void }>

type WorkerWiringDeps = LiveConfigDeps &
  Readonly<{ records: BatchRecords; shared: Clock; changes: ChangeNotifier; figures: BatchMetrics }>

const workerOf = (deps: WorkerWiringDeps): Worker => {
  const { env, clock, shared, current, activeRequests, isStopping, records, changes, figures, onError } = deps
  const run = running({
    answer: call => current.now.work(call),
    defaultModel: () => current.now.chatDefaults.model,
    maxResponseBytes: env.BATCH_MAX_RESPONSE_BYTES,
    firstContentMs: env.BATCH_FIRST_TOKEN_TIMEOUT_MS,
    open: client => activeRequests.open(client),
    clock,
    shared,
    random: Math.random,
    onEnd: reportBatchItem(deps),
  })
  return new Worker({
    records,
    run: (claim: Claim, signal) => {
      changes.notify(claim.jobId, claim.owner)
      return run(claim, signal)
    },
    clock: shared,
    slots: env.BATCH_CONCURRENCY,
    leaseMs: LEASE_MS,
    isStopping,
    onSettled: ({ jobId, owner }, { state }) => {
      figures.runEnded(state)
      changes.notify(jobId, owner)
    },
    onError,
  })
}

const webhookSenderOf = (deps: LiveConfigDeps, records: BatchRecords): WebhookSender | undefined => {
  const { env, clock, logger, isStopping, onError } = deps
  const { BATCH_WEBHOOK_SECRET: secret } = env
  if (secret === undefined) return undefined
  return new WebhookSender({
    records,
    post: webhookPost(isPublicAddress),
    messageOf: job => ({ type: 'batch.ended', job: jobJson(job, clock.now()) }),
    secret,
    clock,
    isStopping,
    onError: (err, jobId) =>
      jobId === undefined
        ? onError(err)
        : logger.warn({ err, jobId, component: 'batch' }, 'webhook delivery failed'),
  })
}

/** Removes expired jobs and leftovers periodically. */
const runMaintenance = async (
  { env, clock, onError }: LiveConfigDeps,
  records: BatchRecords,
  uploads: UploadService,
): Promise<never> => {
  for (;;) {
    try {
      await records.removeEnded(clock.now() - env.BATCH_KEEP_DAYS * DAY_MS)
      await records.sweep(clock.now() - SUBMISSION_MS)
      await uploads.sweep(clock.now() - SUBMISSION_MS)
    } catch (err) {
      onError(err)
    }
    await sleep(clock, HOUSEKEEPING_MS, new AbortController().signal)
  }
}

/**
 * Opens the database, and runs waiting items where this process is a worker.
 * @throws ConfigurationError where the database cannot be used.
 */
export const buildBatch = async (batchDeps: BatchWiringDeps): Promise<Batch> => {
  const { env, metrics, current, isStopping } = batchDeps
  const database = await opened(batchDeps)
  const watch = watched(database, batchDeps)
  const onError = reportRecordsError(batchDeps)
  const deps = { ...batchDeps, onError }
  const clock = await sharedClock(database, deps.clock)
  const records = batchRecords(database)
  const overview = new Overview(() => records.depth(clock.now()), clock)
  const backend = database.dialect === 'sqlite' ? 'SQLite' : 'Postgres'
  const facts = (): BatchFacts => ({
    ...overview.status,
    ...(watch.failure !== undefined && { failure: watch.failure }),
    now: clock.now(),
    backend,
    runningHere: worker?.running ?? 0,
  })
  const changes = new ChangeNotifier()
  const figures = metrics.ofBatch(facts)
  const workSignal = await workSignalOf(deps)
  const worker = env.BATCH_WORKER
    ? workerOf({ ...deps, records, shared: clock, changes, figures })
    : undefined
  if (worker) {
    workSignal.onWork(() => {
      worker.wake()
      return worker.idle()
    })
    worker.wake()
  }
  heartbeat({ records, clock, runsItems: worker !== undefined, isStopping, onError })
  void overview.refresh()
  const webhookSender = webhookSenderOf({ ...deps, clock }, records)
  const service = new BatchService({
    records,
    changes,
    clock,
    notifyWork: items => workSignal.notify(items),
    cancelJob: jobId => worker?.cancelJob(jobId),
    isStopping,
    sendsWebhooks: webhookSender !== undefined,
  })
  const uploads = new UploadService({
    service,
    directory: join(env.DATA_DIR, 'uploads'),
    uploadLimits: {
      mostFiles: env.BATCH_MAX_FILES,
      maxFileBytes: env.BATCH_MAX_FILE_BYTES,
      maxBytes: env.BATCH_MAX_UPLOAD_BYTES,
    },
    itemLimits: itemLimits(env),
    mostItems: env.BATCH_MAX_ITEMS,
    modelFault: model => modelFault(model, current.now),
    openAiModel: model => openAiModel(model, current.now),
  })
  void runMaintenance({ ...deps, clock }, records, uploads)
  return { service, uploads, facts, close: () => database.close() }
}
