import type { Clock, Timer } from '../clock.ts'
import type { PostWebhook } from '../webhook/post.ts'
import { sendWebhook } from '../webhook/send.ts'
import type { BatchRecords, Job, WebhookDue } from './types.ts'

type WebhookOutcome = Parameters<BatchRecords['settleWebhook']>[1]

export type WebhookSenderDeps = Readonly<{
  records: Pick<BatchRecords, 'claimWebhook' | 'settleWebhook'>
  post: PostWebhook
  /** The body of a webhook. */
  messageOf: (job: Job) => object
  secret: string
  clock: Clock
  isStopping: () => boolean
  onError: (error: unknown, jobId?: string) => void
}>

const COOLDOWN_MS = 5_000
const LEASE_MS = 30_000
const MOST_ATTEMPTS = 6
const MOST_AT_ONCE = 16
const MOST_OF_OWNER = 4
const FIRST_PAUSE_MS = 10_000
const PAUSE_FACTOR = 4

/**
 * Delivers webhooks of jobs that have ended, at least once each: in at most six attempts, with growing pauses. Many run
 * concurrently, but few for one owner, so that slow receivers do not delay other owners.
 */
export class WebhookSender {
  readonly #deps: WebhookSenderDeps
  readonly #timer: Timer
  /** Deliveries in progress, by owner. */
  readonly #underWay = new Map<string, number>()
  #isDelivering = false
  #isCalled = false

  constructor(deps: WebhookSenderDeps) {
    this.#deps = deps
    this.#timer = deps.clock.timer(COOLDOWN_MS, () => void this.deliverDue())
  }

  /** Starts the deliveries that are due, as far as slots are free. */
  async deliverDue(): Promise<void> {
    this.#isCalled = true
    if (this.#isDelivering) return
    this.#isDelivering = true
    while (this.#isCalled) {
      this.#isCalled = false
      await this.#startDue().catch(this.#deps.onError)
    }
    this.#isDelivering = false
    this.#timer.refresh()
  }

  async #startDue(): Promise<void> {
    const { records, clock, isStopping } = this.#deps
    while (!isStopping()) {
      const owners = [...this.#underWay]
      if (owners.reduce((sum, [, count]) => sum + count, 0) >= MOST_AT_ONCE) return
      const except = owners.filter(([, count]) => count >= MOST_OF_OWNER).map(([owner]) => owner)
      const now = clock.now()
      const due = await records.claimWebhook({ now, leaseUntil: now + LEASE_MS, except })
      if (!due) return
      void this.#deliver(due)
    }
  }

  async #deliver(due: WebhookDue): Promise<void> {
    const { records, onError } = this.#deps
    this.#count(due.job.owner, 1)
    const outcome = await this.#trySend(due)
    await records.settleWebhook(due, outcome).catch(onError)
    this.#count(due.job.owner, -1)
    void this.deliverDue()
  }

  #count(owner: string, more: number): void {
    const count = (this.#underWay.get(owner) ?? 0) + more
    if (count === 0) this.#underWay.delete(owner)
    else this.#underWay.set(owner, count)
  }

  async #trySend(due: WebhookDue): Promise<WebhookOutcome> {
    const { clock, onError } = this.#deps
    const { job, attempt } = due
    try {
      await this.#send(due)
      return { state: 'sent' }
    } catch (error) {
      onError(error, job.id)
    }
    if (attempt >= MOST_ATTEMPTS) return { state: 'failed' }
    return { again: clock.now() + FIRST_PAUSE_MS * PAUSE_FACTOR ** (attempt - 1) }
  }

  #send({ job, url, attempt }: WebhookDue): Promise<void> {
    const { post, messageOf, secret, clock } = this.#deps
    const delivery = `${job.id}:${attempt}`
    const webhook = { url, event: 'batch.ended', delivery, message: messageOf(job) }
    return sendWebhook(webhook, { post, secret, now: clock.now() })
  }
}
