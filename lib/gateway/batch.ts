import { join } from 'node:path'
import { heartbeat } from '../batch/heartbeat.ts'
import { modelFault, openAiModel } from '../batch/item-models.ts'
import { ChangeNotifier } from '../batch/job-stream.ts'
import { runMaintenance } from '../batch/maintenance.ts'
import { Overview } from '../batch/overview.ts'
import { batchRecords } from '../batch/records/records.ts'
import { running } from '../batch/run.ts'
import { BatchService } from '../batch/service.ts'
import type { BatchRecords, Claim, V1Url } from '../batch/types.ts'
import { UploadService } from '../batch/upload-service.ts'
import { V1BatchRecords } from '../batch/v1/batch-records.ts'
import { V1BatchService } from '../batch/v1/batch-service.ts'
import { FileDisk } from '../batch/v1/file-disk.ts'
import { FileRecords } from '../batch/v1/file-records.ts'
import { FileService } from '../batch/v1/file-service.ts'
import { V1Runner } from '../batch/v1/runner.ts'
import { WebhookSender } from '../batch/webhook-sender.ts'
import type { WorkSignal } from '../batch/work-signal/work-signal.ts'
import { localWorkSignal } from '../batch/work-signal/work-signal.ts'
import { Worker } from '../batch/worker.ts'
import type { Clock } from '../clock.ts'
import { DAY_MS } from '../clock.ts'
import { itemLimits } from '../config/limits.ts'
import type { Checks } from '../evaluation/checks/checks.ts'
import { jobJson } from '../http/dialects/batch.ts'
import { resultLine } from '../http/dialects/openai-batches.ts'
import { v1Item } from '../http/dialects/v1-item.ts'
import type { Endpoint } from '../llm/passthrough.ts'
import type { BatchFacts } from '../observability/batch-health.ts'
import type { BatchMetrics } from '../observability/batch-metrics.ts'
import { reportBatchItem } from '../observability/request-record.ts'
import { isPublicAddress } from '../public-address.ts'
import type { ResponseService } from '../responses/service.ts'
import type { VendorObjects } from '../vendor-objects/assert-own.ts'
import { webhookPost } from '../webhook/post.ts'
import type { Database } from './database.ts'
import { buildRuns, type Evaluations, evaluationItems } from './evaluation.ts'
import type { CurrentConfig } from './live-config.ts'
import type { Runtime } from './runtime.ts'

const LEASE_MS = 20_000
/** Endpoints that need no model that can chat. */
const BESIDE_CHAT: ReadonlyMap<V1Url, Endpoint> = new Map([
  ['/v1/completions', 'completions'],
  ['/v1/embeddings', 'embeddings'],
  ['/v1/moderations', 'moderations'],
])

export type Batch = Readonly<{
  service: BatchService
  uploads: UploadService
  /** The files and batches of `/v1`. */
  files: FileService
  v1Batches: V1BatchService
  evaluations: Evaluations
  facts: () => BatchFacts
}>

export type BatchWiringDeps = Readonly<{
  runtime: Runtime
  database: Database
  current: CurrentConfig
  responses: ResponseService
  vendorObjects: VendorObjects
  /** Checks of answers by clients' expressions and schemas. */
  checks: Checks
  isStopping: () => boolean
}>

const workSignalOf = async ({ env, logger }: Runtime): Promise<WorkSignal> => {
  const { REDIS_URL: url } = env
  if (url === undefined) return localWorkSignal()
  const { redisWorkSignal } = await import('../batch/work-signal/redis.ts')
  // A Redis that fails is reported elsewhere, and no item is lost by it.
  return redisWorkSignal({
    url,
    onError: err => logger.debug({ err }, 'the work signal cannot use Redis'),
  })
}

type WorkerWiringDeps = BatchWiringDeps &
  Readonly<{
    records: BatchRecords
    /** The clock that all processes on this database share. */
    shared: Clock
    changes: ChangeNotifier
    figures: BatchMetrics
    /** Called when a job has ended. */
    onEnded: () => void
  }>

const workerOf = (deps: WorkerWiringDeps): Worker => {
  const { runtime, database, current, isStopping, records, shared, changes, figures, onEnded } = deps
  const { env, clock, activeRequests } = runtime
  const { responses, vendorObjects } = deps
  const v1 = {
    clock,
    responses,
    vendorObjects,
    modelNamed: (name: string) => openAiModel(name, current.now),
  }
  const run = running({
    answer: call => current.now.answerItem(call),
    v1: {
      item: (context, request, deadlineAt) => v1Item(context, request, deadlineAt, v1),
      maxResponseBytes: env.V1_MAX_BODY_BYTES,
    },
    evaluation: evaluationItems({ runtime, current, checks: deps.checks, jobs: records }),
    defaultModel: () => current.now.chatDefaults.model,
    maxResponseBytes: env.BATCH_MAX_RESPONSE_BYTES,
    firstContentMs: env.BATCH_FIRST_TOKEN_TIMEOUT_MS,
    open: client => activeRequests.open(client),
    clock,
    shared,
    random: Math.random,
    // One SQLite file has one process.
    hasOthers: env.DATABASE_URL !== undefined,
    onEnd: reportBatchItem(runtime),
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
    onSettled: ({ jobId, owner }, { state }, settled) => {
      figures.runEnded(state)
      changes.notify(jobId, owner)
      if (settled === 'ended') onEnded()
    },
    onError: database.reportError,
  })
}

const webhookSenderOf = (
  { runtime: { env, logger }, database, isStopping }: BatchWiringDeps,
  records: BatchRecords,
  clock: Clock,
): WebhookSender | undefined => {
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
        ? database.reportError(err)
        : logger.warn({ err, jobId, component: 'batch' }, 'webhook delivery failed'),
  })
}

const uploadsOf = ({ runtime: { env }, current }: BatchWiringDeps, service: BatchService): UploadService =>
  new UploadService({
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

type V1WiringDeps = BatchWiringDeps &
  Readonly<{ records: BatchRecords; clock: Clock }> &
  Readonly<{ notifyWork: (items: number) => void; cancelJob: (jobId: string) => void }>

type V1Batches = Pick<Batch, 'files' | 'v1Batches'> &
  Readonly<{ wake: () => void; sweeps: readonly (() => Promise<void>)[] }>

/** The files and batches of `/v1`. */
const v1BatchesOf = (deps: V1WiringDeps): V1Batches => {
  const { runtime, database, current, records, clock } = deps
  const { env } = runtime
  const keepMs = env.BATCH_KEEP_DAYS * DAY_MS
  const common = {
    ...deps,
    batches: new V1BatchRecords(database.records),
    disk: new FileDisk(join(env.DATA_DIR, 'files')),
    results: { records, line: resultLine },
  }
  const fileRecords = new FileRecords(database.records)
  const { V1_MAX_STORED_BYTES: maxBytes } = env
  const files = new FileService({ ...common, files: fileRecords, maxBytes, batchTtlMs: keepMs })
  const faultOfModel = (model: string, url: V1Url) =>
    modelFault(openAiModel(model, current.now), current.now, !BESIDE_CHAT.has(url))
  const service = new V1BatchService({
    ...common,
    files,
    wake: () => runner.wake(),
    modelFault: faultOfModel,
  })
  const runner = new V1Runner({
    ...common,
    service,
    files: fileRecords,
    input: {
      mostItems: env.BATCH_MAX_ITEMS,
      maxBytes: env.V1_MAX_BODY_BYTES,
      modelFault: faultOfModel,
      defaultModelOf: url => {
        const endpoint = BESIDE_CHAT.get(url)
        return endpoint && current.now.catalog.defaultModelOf(endpoint)
      },
    },
    keepMs,
    onError: database.reportError,
  })
  runner.wake()
  const sweeps = [() => files.sweep(), () => common.batches.removeEnded(clock.now() - keepMs)]
  return { files, v1Batches: service, wake: runner.wake, sweeps }
}

/** Lets a worker claim waiting items, now and at each signal. */
const startWorker = (worker: Worker, workSignal: WorkSignal): void => {
  workSignal.onWork(() => {
    worker.wake()
    return worker.idle()
  })
  worker.wake()
}

/** Accepts batches, and runs their items where this process is a worker. */
export const buildBatch = async (deps: BatchWiringDeps): Promise<Batch> => {
  const { runtime, database, isStopping } = deps
  const { env, metrics } = runtime
  const { backend, clock } = database
  const records = batchRecords(database.records)
  const overview = new Overview(() => records.depth(clock.now()), clock)
  const facts = (): BatchFacts => ({
    ...overview.status,
    ...(database.failure !== undefined && { failure: database.failure }),
    now: clock.now(),
    backend,
    runningHere: worker?.running ?? 0,
  })
  const changes = new ChangeNotifier()
  const figures = metrics.ofBatch(facts)
  const workSignal = await workSignalOf(runtime)
  const worker = env.BATCH_WORKER
    ? workerOf({ ...deps, records, shared: clock, changes, figures, onEnded: () => v1.wake() })
    : undefined
  const notifyWork = (items: number) => workSignal.notify(items)
  const cancelJob = (jobId: string) => worker?.cancelJob(jobId)
  const v1 = v1BatchesOf({ ...deps, records, clock, notifyWork, cancelJob })
  const evaluations = buildRuns({ ...deps, jobs: records, clock, notifyWork, cancelJob })
  if (worker) startWorker(worker, workSignal)
  const onError = database.reportError
  heartbeat({ records, clock, runsItems: worker !== undefined, isStopping, onError })
  void overview.refresh()
  const service = new BatchService({
    records,
    changes,
    clock,
    notifyWork,
    cancelJob,
    isStopping,
    sendsWebhooks: webhookSenderOf(deps, records, clock) !== undefined,
  })
  const uploads = uploadsOf(deps, service)
  void runMaintenance({
    records,
    sweeps: [before => uploads.sweep(before), ...v1.sweeps, evaluations.sweep],
    clock,
    keepMs: env.BATCH_KEEP_DAYS * DAY_MS,
    onError,
  })
  const { files, v1Batches } = v1
  return { service, uploads, files, v1Batches, evaluations, facts }
}
