import { createHmac } from 'node:crypto'
import type { Clock, Timer } from '../../clock.ts'
import type { BatchRecords, Job, WebhookDue } from '../types.ts'
import type { PostWebhook } from './post.ts'

export type PostmanParts = Readonly<{
  records: Pick<BatchRecords, 'claimWebhook' | 'settleWebhook'>
  post: PostWebhook
  /** What is told of a job's end. */
  messageOf: (job: Job) => object
  secret: string
  clock: Clock
  isStopping: () => boolean
  onTrouble: (error: unknown, jobId?: string) => void
}>

const REST_MS = 5_000
const LEASE_MS = 30_000
const MOST_ATTEMPTS = 6
const FIRST_PAUSE_MS = 10_000
const PAUSE_FACTOR = 4

/**
 * Who sent a message, and when: `t=<unix seconds>,v1=<hex HMAC-SHA-256 of "t.message">`. Whoever checks it should
 * refuse one that is older than a few minutes.
 */
export const signatureOf = (message: string, secret: string, now: number): string => {
  const seconds = Math.floor(now / 1000)
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${message}`).digest('hex')}`
}

/** Tells of jobs that have ended, at least once each: six times at most, with growing pauses. */
export class Postman {
  readonly #parts: PostmanParts
  readonly #timer: Timer
  #isWalking = false

  constructor(parts: PostmanParts) {
    this.#parts = parts
    this.#timer = parts.clock.timer(REST_MS, () => void this.walk())
  }

  /** Tells all that is due. */
  async walk(): Promise<void> {
    if (this.#isWalking) return
    this.#isWalking = true
    const { records, clock, isStopping, onTrouble } = this.#parts
    try {
      while (!isStopping()) {
        const due = await records.claimWebhook(clock.now(), clock.now() + LEASE_MS)
        if (!due) break
        await this.#tell(due)
      }
    } catch (error) {
      onTrouble(error)
    }
    this.#isWalking = false
    this.#timer.refresh()
  }

  async #tell(due: WebhookDue): Promise<void> {
    const { records, clock, onTrouble } = this.#parts
    const { job, attempt } = due
    try {
      const status = await this.#send(due)
      if (status >= 200 && status < 300) return await records.settleWebhook(job.id, { state: 'sent' })
      onTrouble(new Error(`the webhook answered ${status}`), job.id)
    } catch (error) {
      onTrouble(error, job.id)
    }
    const again = clock.now() + FIRST_PAUSE_MS * PAUSE_FACTOR ** (attempt - 1)
    await records.settleWebhook(job.id, attempt < MOST_ATTEMPTS ? { again } : { state: 'failed' })
  }

  #send({ job, url, attempt }: WebhookDue): Promise<number> {
    const { post, messageOf, secret, clock } = this.#parts
    const message = JSON.stringify(messageOf(job))
    return post(url, message, {
      'x-parley-event': 'batch.ended',
      'x-parley-delivery': `${job.id}:${attempt}`,
      'x-parley-signature': signatureOf(message, secret, clock.now()),
    })
  }
}
