import { randomBytes } from 'node:crypto'
import { type Caller, keyIdOf, ownerOf } from '../caller.ts'
import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import type { ChangeNotifier } from './job-stream.ts'
import { type JobStreamDeps, jobChanges, jobProgress, SubscriberLimit } from './job-stream.ts'
import type {
  BatchRecords,
  Item,
  ItemDetail,
  ItemState,
  Job,
  JobStream,
  NewItem,
  Page,
  Priority,
} from './types.ts'

/** A job's name, and when it may run. */
export type JobOptions = Readonly<{
  name?: string | undefined
  priority?: Priority | undefined
  scheduledFor?: number | undefined
  webhookUrl?: string | undefined
  /** Precedes the content of all items that are `instructed`. */
  instruction?: string | undefined
  /** Warnings about what was ignored. */
  warnings?: readonly string[] | undefined
}>

export type BatchServiceDeps = Readonly<{
  records: BatchRecords
  changes: ChangeNotifier
  clock: Clock
  /** Signals that so many items wait. */
  notifyWork: (items: number) => void
  /** Aborts a job's items that run in this process. */
  cancelJob: (jobId: string) => void
  isStopping: () => boolean
  /** Whether webhooks are available. */
  sendsWebhooks: boolean
}>

const JOB_ID = /^batch_[\da-f]{32}$/
const ID_BYTES = 16
/** An item's index in its job. */
const INDEX = /^\d{1,9}$/
const PAGE = 500
/** How many of an owner's newest jobs the stream of all jobs covers. */
const STREAMED_JOBS = 50

const newJobId = (): string => `batch_${randomBytes(ID_BYTES).toString('hex')}`

const noSuchJob = (): GatewayError => new GatewayError('NOT_FOUND', 'There is no such batch.')

const ownerOrThrow = (caller: Caller): string => {
  const owner = ownerOf(caller)
  if (owner === undefined)
    throw new GatewayError(
      'FORBIDDEN',
      'The caller could not be identified, so the batch would have no owner.',
    )
  return owner
}

const noWebhooks = (): GatewayError => {
  const message = 'cannot be used: this gateway has no secret to sign webhooks with (BATCH_WEBHOOK_SECRET)'
  return new GatewayError('INVALID_INPUT', `webhookUrl ${message}.`, {
    details: [{ path: 'webhookUrl', message }],
  })
}

const tooLate = (what: string): GatewayError =>
  new GatewayError('CONFLICT', `The batch ${what}.`, { retryable: false })

/** Why no item of a job is retried. */
const notRetried = ({ state, counts }: Job): GatewayError => {
  if (counts.failed === 0) return tooLate('has no failed items to retry')
  if (state === 'cancelled') return tooLate('was cancelled. Submit its failed items as a new one')
  return new GatewayError('CONFLICT', 'The batch has not ended yet: its failed items can be retried then.')
}

/** A caller's operations on their own jobs. For other callers the job does not exist. */
export class BatchService {
  readonly #deps: BatchServiceDeps
  readonly #subscribers = new SubscriberLimit()

  constructor(deps: BatchServiceDeps) {
    this.#deps = deps
  }

  /** Accepts a job whole, or not at all. */
  async submit(
    caller: Caller,
    options: JobOptions,
    items: AsyncIterable<NewItem> | Iterable<NewItem>,
  ): Promise<Job> {
    const { records, clock, notifyWork, sendsWebhooks } = this.#deps
    const owner = ownerOrThrow(caller)
    if (options.webhookUrl !== undefined && !sendsWebhooks) throw noWebhooks()
    const createdAt = Math.floor(clock.now())
    const keyId = keyIdOf(caller)
    const { scheduledFor, webhookUrl, instruction, warnings = [] } = options
    const job = await records.submit(
      {
        id: newJobId(),
        owner,
        ...(keyId !== undefined && { keyId }),
        name: options.name ?? `Batch of ${new Date(createdAt).toISOString().slice(0, 16).replace('T', ' ')}`,
        priority: options.priority ?? 'normal',
        createdAt,
        ...(scheduledFor !== undefined && { scheduledFor }),
        ...(webhookUrl !== undefined && { webhookUrl }),
        ...(instruction !== undefined && { instruction }),
        ...(warnings.length > 0 && { warnings }),
      },
      items,
    )
    this.#notify(job)
    notifyWork(job.counts.queued)
    return job
  }

  async find(caller: Caller, id: unknown): Promise<Job> {
    const owner = ownerOf(caller)
    if (typeof id !== 'string' || !JOB_ID.test(id) || owner === undefined) throw noSuchJob()
    const { records, clock } = this.#deps
    const found = await records.find(owner, id)
    const [job] = found ? await records.withWaits([found], clock.now()) : []
    if (!job) throw noSuchJob()
    return job
  }

  /** Newest first. */
  async list(
    caller: Caller,
    options: Readonly<{ limit: number; cursor?: string | undefined }>,
  ): Promise<Page<Job>> {
    const owner = ownerOf(caller)
    return owner === undefined ? { entries: [] } : this.#page(owner, options)
  }

  items(
    { id }: Job,
    options: Readonly<{ limit: number; cursor?: string | undefined; state?: ItemState | undefined }>,
  ): Promise<Page<Item>> {
    return this.#deps.records.items(id, options)
  }

  /** One item with its messages. @throws GatewayError NOT_FOUND */
  async item({ id }: Job, index: unknown): Promise<ItemDetail> {
    const item =
      typeof index === 'string' && INDEX.test(index)
        ? await this.#deps.records.item(id, Number(index))
        : undefined
    if (!item) throw new GatewayError('NOT_FOUND', 'There is no such item in this batch.')
    return item
  }

  /**
   * All items of a job in their order, a page at a time.
   * @throws GatewayError NOT_FOUND where the job is removed meanwhile, as the items would be incomplete.
   */
  async *allItems({ id, counts }: Job): AsyncGenerator<Item> {
    let cursor: string | undefined
    let count = 0
    do {
      const page = await this.#deps.records.items(id, { limit: PAGE, ...(cursor && { cursor }) })
      yield* page.entries
      count += page.entries.length
      cursor = page.cursor
    } while (cursor !== undefined)
    if (count < counts.total)
      throw new GatewayError('NOT_FOUND', 'The batch was deleted while its items were being read.')
  }

  async cancel(caller: Caller, id: unknown): Promise<Job> {
    const { records, clock, cancelJob } = this.#deps
    const job = await this.find(caller, id)
    if (!(await records.cancel(job.owner, job.id, clock.now()))) throw tooLate('has already ended')
    cancelJob(job.id)
    return this.#changed(caller, job)
  }

  /** Runs the failed items once more. */
  async retry(caller: Caller, id: unknown): Promise<Job> {
    const { records, clock, notifyWork } = this.#deps
    const job = await this.find(caller, id)
    const count = await records.retryFailed(job.owner, job.id, clock.now())
    if (count === 0) throw notRetried(await this.find(caller, id))
    notifyWork(count)
    return this.#changed(caller, job)
  }

  async prioritise(caller: Caller, id: unknown, priority: Priority): Promise<Job> {
    const job = await this.find(caller, id)
    if (!(await this.#deps.records.prioritise(job.owner, job.id, priority)))
      throw tooLate('has no queued items')
    return this.#changed(caller, job)
  }

  /** Removes a job that has ended, with all its answers. */
  async remove(caller: Caller, id: unknown): Promise<Job> {
    const job = await this.find(caller, id)
    if (!(await this.#deps.records.remove(job.owner, job.id)))
      throw tooLate('has not ended yet. Cancel it first')
    this.#notify(job)
    return job
  }

  /** The changes of one job, until it has ended. @throws GatewayError RATE_LIMITED */
  progress(job: Job, signal: AbortSignal): JobStream {
    const { records, clock } = this.#deps
    const readJobs = async () => {
      const found = await records.find(job.owner, job.id)
      return found && (await records.withWaits([found], clock.now()))[0]
    }
    return this.#streams(job.owner, signal, deps => jobProgress(job.id, readJobs, deps))
  }

  /** The changes of the caller's newest jobs, while the stream is open. @throws GatewayError RATE_LIMITED */
  jobStream(caller: Caller, signal: AbortSignal): JobStream {
    const owner = ownerOrThrow(caller)
    const readJobs = async () => (await this.#page(owner, { limit: STREAMED_JOBS })).entries
    return this.#streams(owner, signal, deps => jobChanges(owner, readJobs, deps))
  }

  async #page(owner: string, options: Parameters<BatchRecords['list']>[1]): Promise<Page<Job>> {
    const { records, clock } = this.#deps
    const page = await records.list(owner, options)
    return { ...page, entries: await records.withWaits(page.entries, clock.now()) }
  }

  #streams(
    owner: string,
    signal: AbortSignal,
    begin: (deps: JobStreamDeps) => AsyncIterable<Job>,
  ): JobStream {
    const unsubscribe = this.#subscribers.enter(owner)
    const subscribers = () => this.#subscribers.count
    return { jobs: begin({ ...this.#deps, subscribers, signal }), unsubscribe }
  }

  async #changed(caller: Caller, { id }: Job): Promise<Job> {
    const job = await this.find(caller, id)
    this.#notify(job)
    return job
  }

  #notify({ id, owner }: Job): void {
    this.#deps.changes.notify(id, owner)
  }
}
