import type { ErrorCode, Issue, UpstreamRefusal } from '../errors.ts'
import type { Target, Usage } from '../llm/types.ts'
import type { ChatBody } from '../validation/chat.ts'
import type { Alongside } from './records/alongside.ts'

/** The order of jobs. Every ten minutes of waiting raise an item by one level, so that none waits for ever. */
export const PRIORITIES = ['high', 'normal', 'low'] as const
export type Priority = (typeof PRIORITIES)[number]

/**
 * A job's state. `queued`: none of its items has begun. `completed`: all have ended and at least one has
 * succeeded; how many failed is in its counts. `failed`: all have ended, and none has succeeded.
 */
export const JOB_STATES = ['queued', 'running', 'completed', 'failed', 'cancelled'] as const
export type JobState = (typeof JOB_STATES)[number]

export const ITEM_STATES = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const
export type ItemState = (typeof ITEM_STATES)[number]

/** The validated body of `POST /api/chat`. Never a stream. */
export type ChatRequest = Omit<ChatBody, 'stream'>

/** The routes of `/v1` whose requests can be items of a batch. */
export const V1_URLS = [
  '/v1/chat/completions',
  '/v1/completions',
  '/v1/embeddings',
  '/v1/moderations',
  '/v1/messages',
  '/v1/responses',
] as const
export type V1Url = (typeof V1_URLS)[number]

/** A request to a route of `/v1`. It is validated when it runs, as one that is sent to the route itself. */
export type V1Request = Readonly<{
  url: V1Url
  /** The model that its body names, or that of requests to its route that name none. */
  model: string
  /** The body as its client wrote it. */
  json: string
  /** The client's headers that belong to the format. */
  headers?: Readonly<Record<string, string>>
  /** No such model was known when it was accepted. */
  isModelUnknown?: true
}>

/** One row of a data set for one variant of an evaluation: its answer is graded too. */
export type EvaluationRequest = Readonly<{
  evaluation: string
  /** The index of the variant in the plan of the evaluation. */
  variant: number
  model: string
  row: unknown
}>

/** The request of one item. */
export type ItemRequest = ChatRequest | V1Request | EvaluationRequest

export const isV1Request = (request: ItemRequest): request is V1Request => 'url' in request

export const isEvaluationRequest = (request: ItemRequest): request is EvaluationRequest =>
  'evaluation' in request

/**
 * The position of an item in an upload: the file's clean name, and the line, counted from 1, in files of many items.
 */
export type ItemSource = Readonly<{ file: string; line?: number }>

/** An item as submitted. Its `id` is the submitter's own and unique within the job. */
export type NewItem<Request extends ItemRequest = ItemRequest> = Readonly<{
  id: string
  request: Request
  /** Whether the job's instruction applies to it. */
  instructed?: boolean
  source?: ItemSource
}>

export type NewJob = Readonly<{
  /** `batch_` and 32 hexadecimal digits, from a cryptographic source. */
  id: string
  /** See `ownerOf`. */
  owner: string
  /** The API key that submitted it; absent where it was none. */
  keyId?: string
  name: string
  priority: Priority
  /** Clock time, milliseconds, before which none of its items runs. */
  scheduledFor?: number
  createdAt: number
  webhookUrl?: string
  /** Precedes the content of all items that are `instructed`; stored once, since it may be as long as all of them. */
  instruction?: string
  /** Warnings about what was ignored in an upload, at most 21. */
  warnings?: readonly string[]
  /** It runs requests of `/v1`, or an evaluation: it is no job of `/api/batch`, and not found there. */
  isV1?: true
}>

export type JobCounts = Readonly<{ total: number } & Record<ItemState, number>>

/** A job as its owner sees it. Times are clock times in milliseconds. */
export type Job = Omit<NewJob, 'instruction' | 'isV1' | 'keyId'> &
  Readonly<{
    state: JobState
    counts: JobCounts
    /** Sum of its items' cost, US dollars; items whose price is unknown are in `unpriced` instead. */
    costUsd: number
    unpriced: number
    startedAt?: number
    endedAt?: number
    /** How long it had ended before it was retried, milliseconds in all. */
    idleMs?: number
    /** Why none of its items can progress right now; see `BatchRecords.withWaits`. */
    wait?: Wait
  }>

/**
 * Why an open job does not progress: it is scheduled for later; no process runs items; its last run was put back
 * because of its model or provider; or other jobs come first.
 */
export type Wait =
  | Readonly<{ reason: 'schedule'; until: number }>
  | Readonly<{ reason: 'worker' | 'queue' }>
  | Readonly<{
      reason: 'model'
      fault: ItemError
      /** The requested model; absent where the item named none. */
      model?: string
      /** Clock time of the next attempt; absent once it is due. */
      until?: number
    }>

/** An item's answer. */
export type ItemReply = Readonly<{
  /** Empty for a request to `/v1`. */
  content: string
  finishReason: string
  truncated: boolean
  /** The gateway's own tools that were run, with their results. */
  tools?: readonly Readonly<{ id: string; name: string; state: string; result?: unknown }>[]
  target: Target
  usage: Usage
  cache: 'miss' | 'hit' | 'stale' | 'bypass'
  /** Whole picodollars (1e-12 US dollars); absent where the price is unknown. */
  costPicoUsd?: number
  /** What the route of `/v1` would have answered. */
  v1?: Readonly<{ requestId: string; json: string }>
}>

/** Why an item failed: the error that `POST /api/chat` would have returned. */
export type ItemError = Readonly<{
  code: ErrorCode
  message: string
  retryable: boolean
  /** What the error of a route of `/v1` consists of besides. */
  v1?: Readonly<{
    requestId: string
    unknownModel?: true
    refusal?: UpstreamRefusal
    details?: readonly Issue[]
  }>
}>

/** An item as its owner sees it, without its request: that may be long, and only the worker needs it. */
export type Item = Omit<NewItem, 'request' | 'instructed'> &
  Readonly<{
    /** Its index in the job, from 0. */
    index: number
    state: ItemState
    /** How often it was started since it was queued or last retried; an interrupted run counts too. */
    attempts: number
    startedAt?: number
    endedAt?: number
    response?: ItemReply
    fault?: ItemError
  }>

/** An item with the messages that are sent to the model, the instruction included. */
export type ItemDetail = Item & Readonly<{ messages: NonNullable<ChatRequest['messages']> }>

/**
 * The right to run one item, until `leaseUntil`. Each claim of an item has a higher `fence` than the one before:
 * a write under an older one changes nothing.
 */
export type Claim = Readonly<{
  jobId: string
  index: number
  fence: number
  /** How often it was started, this time included. */
  attempt: number
  /** How many of its runs did not finish: the worker died, or lost the lease. */
  lostRuns: number
  /** How often a run of it has failed so far. */
  failures: number
  /** Clock time of its first start; that of this claim, where it is the first. */
  startedAt: number
  claimedAt: number
  leaseUntil: number
  owner: string
  /** The key that its job was submitted with. */
  keyId?: string
  request: ItemRequest
  /** The job's instruction, where it applies to the item. */
  instruction?: string
}>

/**
 * How a run of an item ended. `again`: it is retried, not before that clock time; the run then counts as a failure, as
 * an attempt that did not fail, or not at all, as if it had not started.
 */
export type Outcome =
  | Readonly<{ state: 'succeeded'; answer: ItemReply }>
  | Readonly<{ state: 'failed'; fault: ItemError }>
  | Readonly<{
      state: 'again'
      notBefore: number
      countsAs: 'failure' | 'attempt' | 'nothing'
      fault: ItemError
      /** The cause is the item's own: the others of its job need not wait. */
      isItemsOwn?: true
    }>

export type Settled = 'written' | 'ended' | 'lost'

export type Page<Entry> = Readonly<{
  entries: readonly Entry[]
  /** The start of the next page; absent on the last one. */
  cursor?: string
}>

/** An observer of jobs. */
export type JobStream = Readonly<{
  jobs: AsyncIterable<Job>
  /** To be called when the client has disconnected, which frees its slot. */
  unsubscribe: () => void
}>

/** A job's end that is due for delivery, with the number of the attempt. */
export type WebhookDue = Readonly<{ job: Job; url: string; attempt: number }>

/** How full the queue is. */
export type Depth = Readonly<{
  queued: Readonly<Record<Priority, number>>
  running: number
  /** Failed items of stored jobs. */
  failed: number
  /** When the oldest item that is ready to run was submitted. */
  oldestAt?: number
  /** Processes that run items. */
  workers: number
}>

/**
 * Jobs and their items, the single source of truth: a queue beside them only signals that there is work. Only the owner
 * finds a job.
 */
export interface BatchRecords {
  /**
   * Stores a job whole: it is invisible until the last item is written, and removed when that fails.
   * @param alongside more to write in the transaction that makes it visible; it stays invisible where that rejects
   */
  submit(job: NewJob, items: AsyncIterable<NewItem> | Iterable<NewItem>, alongside?: Alongside): Promise<Job>
  /** Deletes rows left by submissions that began before a clock time and never finished, and by removals. */
  sweep(before: number): Promise<number>

  /** A job of `/api/batch`. */
  find(owner: string, id: string): Promise<Job | undefined>
  /** The jobs of `/api/batch`, newest first. */
  list(owner: string, options: { limit: number; cursor?: string | undefined }): Promise<Page<Job>>
  /** The jobs, each with its `wait` where it has one. */
  withWaits(jobs: readonly Job[], now: number): Promise<readonly Job[]>
  /** One item of a job by its index, with its messages. */
  item(jobId: string, index: number): Promise<ItemDetail | undefined>
  /**
   * Items of a job in their order: at most `limit`, fewer where their answers are long. A page holds no more than
   * about 4 MB of them, or one that is longer.
   */
  items(
    jobId: string,
    options: { limit: number; cursor?: string | undefined; state?: ItemState | undefined },
  ): Promise<Page<Item>>

  /**
   * The items that should run next, at most `count`, each leased to the calling worker: those whose lease has expired,
   * then those of the job with the best rank, started ones first. Jobs in `except` are skipped.
   */
  claim(options: {
    count: number
    now: number
    leaseMs: number
    except?: readonly string[]
  }): Promise<readonly Claim[]>
  /** Prolongs leases. Returns those that still hold: the others are lost, or their job was cancelled. */
  renew(claims: readonly Claim[], options: { now: number; leaseMs: number }): Promise<readonly Claim[]>
  /**
   * Records how a run ended, its cost included, atomically: `ended` where the job ended with it. `lost`, and
   * nothing written, where the lease is lost or the job was cancelled.
   */
  settle(claim: Claim, outcome: Outcome, now: number): Promise<Settled>
  /** When the next item of other jobs than those may run: now or in the future; absent where none waits. */
  nextDueAt(except?: readonly string[]): Promise<number | undefined>

  /** Ends a job: its waiting and running items become `cancelled`. False where it has ended already. */
  cancel(owner: string, id: string, now: number): Promise<boolean>
  /** Puts the failed items of a job that was not cancelled back in the queue, as if new. Returns how many. */
  retryFailed(owner: string, id: string, now: number): Promise<number>
  /** False where none of its items is waiting. */
  prioritise(owner: string, id: string, priority: Priority): Promise<boolean>
  /** Removes a job that has ended, its answers soon after. False where it has not ended. */
  remove(owner: string, id: string): Promise<boolean>
  /** Removes the jobs that ended before a clock time. Returns how many. */
  removeEnded(before: number): Promise<number>

  /**
   * The job whose webhook has been due longest, leased until a clock time to the calling sender. Jobs of owners in
   * `except` are skipped.
   */
  claimWebhook(options: {
    now: number
    leaseUntil: number
    except?: readonly string[]
  }): Promise<WebhookDue | undefined>
  /**
   * Records the outcome of a delivery. `again` is the clock time of the next attempt. Nothing changes where it was
   * claimed again meanwhile, or where the job has ended once more: that end is still to be delivered.
   */
  settleWebhook(
    due: WebhookDue,
    outcome: Readonly<{ state: 'sent' | 'failed' } | { again: number }>,
  ): Promise<void>
  /** A worker's heartbeat. A worker without one for half a minute no longer counts. */
  heartbeat(workerId: string, now: number): Promise<void>
  /** Writes a row and deletes it, to check that the database is writable. @param id this process's own */
  probe(id: string): Promise<void>
  depth(now: number): Promise<Depth>
}
