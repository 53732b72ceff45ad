import type { ErrorCode } from '../errors.ts'
import type { Target, Usage } from '../llm/types.ts'
import type { ChatBody } from '../validation/chat.ts'

/** What runs first. An item gains one step for every ten minutes that it waits, so that none waits for ever. */
export const PRIORITIES = ['high', 'normal', 'low'] as const
export type Priority = (typeof PRIORITIES)[number]

/**
 * Where a job stands. `queued`: none of its items has begun. `completed`: all have ended and at least one has
 * succeeded; how many failed is in its counts. `failed`: all have ended, and none has succeeded.
 */
export const JOB_STATES = ['queued', 'running', 'completed', 'failed', 'cancelled'] as const
export type JobState = (typeof JOB_STATES)[number]

export const ITEM_STATES = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const
export type ItemState = (typeof ITEM_STATES)[number]

/** What is asked for one item: the validated body of `POST /api/chat`. Never a stream. */
export type ItemRequest = Omit<ChatBody, 'stream'>

/** Where an item stood in an upload: the file's clean name, and the line, counted from 1, in files of many items. */
export type ItemSource = Readonly<{ file: string; line?: number }>

/** An item as it is handed in. Its `id` is the submitter's own and unique within the job. */
export type NewItem = Readonly<{
  id: string
  request: ItemRequest
  /** Whether the job's instruction stands above it. */
  instructed?: boolean
  source?: ItemSource
}>

export type NewJob = Readonly<{
  /** `batch_` and 32 hexadecimal digits, from a cryptographic source. */
  id: string
  /** See `ownerOf`. */
  owner: string
  name: string
  priority: Priority
  /** Clock time, milliseconds, before which none of its items runs. */
  scheduledFor?: number
  createdAt: number
  webhookUrl?: string
  /** Stands above all items that are `instructed`; kept once, since it may be as long as all of them. */
  instruction?: string
  /** What of an upload was passed over, in at most 21 sentences. */
  warnings?: readonly string[]
}>

export type JobCounts = Readonly<{ total: number } & Record<ItemState, number>>

/** A job as its owner sees it. Times are clock times in milliseconds. */
export type Job = Omit<NewJob, 'instruction'> &
  Readonly<{
    state: JobState
    counts: JobCounts
    /** Sum of what its items cost, US dollars; items whose price is unknown are in `unpriced` instead. */
    costUsd: number
    unpriced: number
    startedAt?: number
    endedAt?: number
  }>

/** An item's answer. */
export type ItemReply = Readonly<{
  content: string
  finishReason: string
  truncated: boolean
  target: Target
  usage: Usage
  cache: 'miss' | 'hit' | 'stale' | 'bypass'
  /** Whole picodollars (1e-12 US dollars); absent where the price is unknown. */
  costPicoUsd?: number
}>

/** Why an item failed: what the caller of `POST /api/chat` would have been told. */
export type ItemError = Readonly<{ code: ErrorCode; message: string; retryable: boolean }>

/** An item as its owner sees it. What it asked is not shown: that may be long, and only whoever runs it needs it. */
export type Item = Omit<NewItem, 'request' | 'instructed'> &
  Readonly<{
    /** Its place in the job, counted from 0. */
    index: number
    state: ItemState
    /** How often it was begun since it was queued, or was last retried; a run that was cut off counts too. */
    attempts: number
    startedAt?: number
    endedAt?: number
    response?: ItemReply
    fault?: ItemError
  }>

/**
 * The right to run one item, until `leaseUntil`. Each claim of an item has a higher `fence` than the one before:
 * what is told under an older one changes nothing.
 */
export type Claim = Readonly<{
  jobId: string
  index: number
  fence: number
  /** How often it was begun, this time included. */
  attempt: number
  /** How many of its runs never came to an end: whoever ran it died, or lost it. */
  lostRuns: number
  /** How often a run of it has failed so far. */
  failures: number
  /** Clock time of its first beginning; that of this claim, where it is the first. */
  startedAt: number
  claimedAt: number
  leaseUntil: number
  owner: string
  request: ItemRequest
  /** Stands above what is asked, where it is to. */
  instruction?: string
}>

/**
 * How a run of an item ended. `again`: it is tried again, not before that clock time. What the run then counts as:
 * one of its failures; an attempt that did not fail; or nothing, as if it had not begun.
 */
export type Outcome =
  | Readonly<{ state: 'succeeded'; answer: ItemReply }>
  | Readonly<{ state: 'failed'; fault: ItemError }>
  | Readonly<{
      state: 'again'
      notBefore: number
      countsAs: 'failure' | 'attempt' | 'nothing'
      fault: ItemError
    }>

export type Settled = 'written' | 'ended' | 'lost'

export type Page<Entry> = Readonly<{
  entries: readonly Entry[]
  /** Where the next page begins; absent on the last one. */
  cursor?: string
}>

/** Somebody who is told what becomes of jobs. */
export type JobStream = Readonly<{
  jobs: AsyncIterable<Job>
  /** To be called when they have gone, so that others may come. */
  unsubscribe: () => void
}>

/** A job's end that is to be told, for the so-manieth time. */
export type WebhookDue = Readonly<{ job: Job; url: string; attempt: number }>

/** How full the queue is. */
export type Depth = Readonly<{
  queued: Readonly<Record<Priority, number>>
  running: number
  /** Failed items of the jobs that are still kept. */
  failed: number
  /** When the oldest item that may run now was handed in. */
  oldestAt?: number
  /** Processes that run items. */
  workers: number
}>

/**
 * Jobs and their items. They are the truth: a queue beside them only says that there is something to do.
 * Whoever is not the owner finds nothing.
 */
export interface BatchRecords {
  /** Takes a job whole: until the last item is written nobody sees it, and when that fails nothing of it stays. */
  submit(job: NewJob, items: AsyncIterable<NewItem> | Iterable<NewItem>): Promise<Job>
  /** Removes what was left by submissions that began before a clock time and never came to their end, and by removals. */
  sweep(before: number): Promise<number>

  find(owner: string, id: string): Promise<Job | undefined>
  /** Newest first. */
  list(owner: string, options: { limit: number; cursor?: string | undefined }): Promise<Page<Job>>
  /**
   * Items of a job in their order: at most `limit`, fewer where their answers are long. A page holds no more than
   * about 4 MB of them, or one that is longer.
   */
  items(
    jobId: string,
    options: { limit: number; cursor?: string | undefined; state?: ItemState | undefined },
  ): Promise<Page<Item>>

  /**
   * The items that should run next, at most `count`, each leased to whoever asks: those whose lease has run out, then
   * those of the job with the best rank, what was begun before its others. Jobs in `except` are passed over.
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
   * Writes down how a run ended, its cost included, in one step: `ended` where the job ended with it. `lost`, and
   * nothing written, where the lease is lost or the job was cancelled.
   */
  settle(claim: Claim, outcome: Outcome, now: number): Promise<Settled>
  /** When the next item of other jobs than those may run: now or in the future; absent where none waits. */
  nextDueAt(except?: readonly string[]): Promise<number | undefined>

  /** Ends a job: what waits or runs of it becomes `cancelled`. False where it has ended already. */
  cancel(owner: string, id: string, now: number): Promise<boolean>
  /** Puts the failed items of a job that was not cancelled back in the queue, as if new. Returns how many. */
  retryFailed(owner: string, id: string): Promise<number>
  /** False where no item of it waits any more. */
  prioritise(owner: string, id: string, priority: Priority): Promise<boolean>
  /** Takes a job that has ended away, its answers soon after. False where it has not ended. */
  remove(owner: string, id: string): Promise<boolean>
  /** Takes away the jobs that ended before a clock time. Returns how many. */
  removeEnded(before: number): Promise<number>

  /**
   * The job whose end has waited longest to be told at its webhook, leased until a clock time to whoever asks. Those of
   * owners in `except` are passed over.
   */
  claimWebhook(options: {
    now: number
    leaseUntil: number
    except?: readonly string[]
  }): Promise<WebhookDue | undefined>
  /**
   * What became of telling it. `again` names the clock time of the next try. Nothing changes where it was claimed anew
   * meanwhile, or where the job has ended once more: that end is still to be told.
   */
  settleWebhook(
    due: WebhookDue,
    outcome: Readonly<{ state: 'sent' | 'failed' } | { again: number }>,
  ): Promise<void>
  /** A worker's sign of life. One that gives none for half a minute is counted no more. */
  heartbeat(workerId: string, now: number): Promise<void>
  /** Writes something and takes it back, to see that the records can be written. @param id this process's own */
  probe(id: string): Promise<void>
  depth(now: number): Promise<Depth>
}
