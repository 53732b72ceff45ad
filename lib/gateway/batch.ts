import { join } from 'node:path'
import { attend } from '../batch/attendance.ts'
import type { Bell } from '../batch/bell/bell.ts'
import { localBell } from '../batch/bell/local.ts'
import { BatchDesk } from '../batch/desk.ts'
import { News } from '../batch/news.ts'
import { Overview } from '../batch/overview.ts'
import { batchRecords } from '../batch/records/records.ts'
import { running } from '../batch/run.ts'
import type { BatchRecords, Claim } from '../batch/types.ts'
import { UploadDesk } from '../batch/upload-desk.ts'
import { webhookPost } from '../batch/webhook/post.ts'
import { Postman } from '../batch/webhook/postman.ts'
import { isPublicAddress } from '../batch/webhook/public-address.ts'
import { Worker } from '../batch/worker.ts'
import { type Clock, sleep } from '../clock.ts'
import { ConfigurationError } from '../config/env.ts'
import type { Environment } from '../config/schema.ts'
import { jobJson } from '../http/dialects/batch.ts'
import type { OpenVisits } from '../http/open-visits.ts'
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
import type { Live } from './live.ts'
import { recordsTrouble, watched } from './records-trouble.ts'
import { tellOfRun } from './visit-end.ts'

const LEASE_MS = 20_000
const HOUSEKEEPING_MS = 600_000
const DAY_MS = 86_400_000
/** A submission that has not come to its end after so long never will. */
const SUBMISSION_MS = 3_600_000

export type Batch = Readonly<{
  desk: BatchDesk
  uploads: UploadDesk
  facts: () => BatchFacts
  /** Closes the records, once what was asked of them is done. */
  close: () => Promise<void>
}>

export type BatchMakings = Readonly<{
  env: Environment
  clock: Clock
  logger: Logger
  metrics: Metrics
  errors: ErrorReporter
  visits: OpenVisits
  live: Live
  isStopping: () => boolean
}>

const opened = async ({ env, clock, logger }: BatchMakings): Promise<Records> => {
  const place = {
    databaseUrl: env.DATABASE_URL,
    dataDir: env.DATA_DIR,
    waitMs: env.DATABASE_WAIT_SECONDS * 1000,
    onWait: (text: string) => void process.stderr.write(`${text}\n`),
    onLost: (err: Error) =>
      logger.error({ err, component: 'records' }, 'the thread of the database ended and is started again'),
  }
  try {
    return await openRecords(place, clock)
  } catch (error) {
    if (!(error instanceof RecordsUnusable)) throw error
    throw new ConfigurationError([`  ${error.message}; ENABLE_BATCH=false does without records`])
  }
}

const bellOf = async ({ env, logger }: BatchMakings): Promise<Bell> => {
  const { REDIS_URL: url } = env
  if (url === undefined) return localBell()
  const { redisBell } = await import('../batch/bell/redis.ts')
  // The shared state tells of a Redis that fails, and no item is lost by it.
  return redisBell({ url, onTrouble: err => logger.debug({ err }, 'the batch bell has trouble with Redis') })
}

type Lasting = BatchMakings & Readonly<{ onTrouble: (error: unknown) => void }>

type WorkerMakings = Lasting &
  Readonly<{ records: BatchRecords; shared: Clock; news: News; figures: BatchMetrics }>

const workerOf = (makings: WorkerMakings): Worker => {
  const { env, clock, shared, live, visits, isStopping, records, news, figures, onTrouble } = makings
  const run = running({
    answer: call => live.now.work(call),
    defaultModel: () => live.now.chatDefaults.model,
    maxResponseBytes: env.BATCH_MAX_RESPONSE_BYTES,
    firstContentMs: env.BATCH_FIRST_TOKEN_TIMEOUT_MS,
    open: client => visits.open(client),
    clock,
    shared,
    random: Math.random,
    onEnd: tellOfRun(makings),
  })
  return new Worker({
    records,
    run: (claim: Claim, signal) => {
      news.tell(claim.jobId, claim.owner)
      return run(claim, signal)
    },
    clock: shared,
    slots: env.BATCH_CONCURRENCY,
    leaseMs: LEASE_MS,
    isStopping,
    onSettled: ({ jobId, owner }, { state }) => {
      figures.runEnded(state)
      news.tell(jobId, owner)
    },
    onTrouble,
  })
}

const postmanOf = (makings: Lasting, records: BatchRecords): Postman | undefined => {
  const { env, clock, logger, isStopping, onTrouble } = makings
  const { BATCH_WEBHOOK_SECRET: secret } = env
  if (secret === undefined) return undefined
  return new Postman({
    records,
    post: webhookPost(isPublicAddress),
    messageOf: job => ({ type: 'batch.ended', job: jobJson(job, clock.now()) }),
    secret,
    clock,
    isStopping,
    onTrouble: (err, jobId) =>
      jobId === undefined
        ? onTrouble(err)
        : logger.warn({ err, jobId, component: 'batch' }, 'a webhook was not told'),
  })
}

/** Takes away what is old or was left behind, now and then. */
const keepHouse = async (
  { env, clock, onTrouble }: Lasting,
  records: BatchRecords,
  uploads: UploadDesk,
): Promise<never> => {
  for (;;) {
    try {
      await records.removeEnded(clock.now() - env.BATCH_KEEP_DAYS * DAY_MS)
      await records.sweep(clock.now() - SUBMISSION_MS)
      await uploads.sweep(clock.now() - SUBMISSION_MS)
    } catch (err) {
      onTrouble(err)
    }
    await sleep(clock, HOUSEKEEPING_MS, new AbortController().signal)
  }
}

/**
 * Opens the records, and runs what waits in them where this process is to run items.
 * @throws ConfigurationError where the records cannot be used.
 */
export const buildBatch = async (parts: BatchMakings): Promise<Batch> => {
  const { env, metrics, live, isStopping } = parts
  const database = await opened(parts)
  const watch = watched(database, parts)
  const onTrouble = recordsTrouble(parts)
  const makings = { ...parts, onTrouble }
  const clock = await sharedClock(database, makings.clock)
  const records = batchRecords(database)
  const overview = new Overview(() => records.depth(clock.now()), clock)
  const place = database.dialect === 'sqlite' ? 'SQLite' : 'Postgres'
  const facts = (): BatchFacts => ({
    ...overview.seen,
    ...(watch.failure !== undefined && { failure: watch.failure }),
    now: clock.now(),
    place,
    runningHere: worker?.running ?? 0,
  })
  const news = new News()
  const figures = metrics.ofBatch(facts)
  const bell = await bellOf(makings)
  const worker = env.BATCH_WORKER
    ? workerOf({ ...makings, records, shared: clock, news, figures })
    : undefined
  if (worker) {
    bell.answer(() => {
      worker.wake()
      return worker.idle()
    })
    worker.wake()
  }
  attend({ records, clock, runsItems: worker !== undefined, isStopping, onTrouble })
  void overview.look()
  const postman = postmanOf({ ...makings, clock }, records)
  const desk = new BatchDesk({
    records,
    news,
    clock,
    ring: items => bell.ring(items),
    revoke: jobId => worker?.revoke(jobId),
    isStopping,
    tellsWebhooks: postman !== undefined,
  })
  const uploads = new UploadDesk({
    desk,
    directory: join(env.DATA_DIR, 'uploads'),
    uploadLimits: {
      mostFiles: env.BATCH_MAX_FILES,
      maxFileBytes: env.BATCH_MAX_FILE_BYTES,
      maxBytes: env.BATCH_MAX_UPLOAD_BYTES,
    },
    itemLimits: itemLimits(env),
    mostItems: env.BATCH_MAX_ITEMS,
    modelFault: model => modelFault(model, live.now),
    openAiModel: model => openAiModel(model, live.now),
  })
  void keepHouse({ ...makings, clock }, records, uploads)
  return { desk, uploads, facts, close: () => database.close() }
}
