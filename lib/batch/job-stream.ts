import { type Clock, sleep } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import type { Job } from './types.ts'

/** Notifies the observers of a job, or of all jobs of an owner, of changes made in this process. */
export class ChangeNotifier {
  readonly #waiting = new Map<string, Set<() => void>>()

  /** @param subjects a job's id, its owner */
  notify(...subjects: readonly string[]): void {
    for (const subject of subjects) {
      const waiting = this.#waiting.get(subject)
      this.#waiting.delete(subject)
      for (const wake of waiting ?? []) wake()
    }
  }

  /** Calls `wake` once, at the next change of a subject. Returns a function that cancels it. */
  once(subject: string, wake: () => void): () => void {
    const waiting = this.#waiting.get(subject) ?? new Set()
    this.#waiting.set(subject, waiting.add(wake))
    return () => {
      waiting.delete(wake)
      if (waiting.size === 0 && this.#waiting.get(subject) === waiting) this.#waiting.delete(subject)
    }
  }
}

const MOST_IN_ALL = 1_000
/** One for each tab that a person may have open. */
const MOST_OF_OWNER = 20

const tooMany = (message: string): GatewayError =>
  new GatewayError('RATE_LIMITED', message, { retryAfterSeconds: 5 })

/** Counts open progress streams, and limits them by owner and in all. */
export class SubscriberLimit {
  readonly #byOwner = new Map<string, number>()
  #count = 0

  get count(): number {
    return this.#count
  }

  /** Admits a stream; the returned function ends it. @throws GatewayError RATE_LIMITED */
  enter(owner: string): () => void {
    const own = this.#byOwner.get(owner) ?? 0
    if (own >= MOST_OF_OWNER) throw tooMany('Too many of your progress streams are open; close some.')
    if (this.#count >= MOST_IN_ALL) throw tooMany('Too many progress streams are open.')
    this.#change(owner, 1)
    let isIn = true
    return () => {
      if (isIn) this.#change(owner, -1)
      isIn = false
    }
  }

  #change(owner: string, by: 1 | -1): void {
    const own = (this.#byOwner.get(owner) ?? 0) + by
    this.#count += by
    if (own === 0) this.#byOwner.delete(owner)
    else this.#byOwner.set(owner, own)
  }
}

/** Polling interval for changes made by another process. */
const REFRESH_MS = 1_000
/** Minimum interval between two events of a job. */
const PAUSE_MS = 250
/** All streams together poll a hundred times a second: each polls less often the more there are. */
const SHARE_MS = 10

export type JobStreamDeps = Readonly<{
  changes: ChangeNotifier
  clock: Clock
  /** How many streams are open, this one included. */
  subscribers: () => number
  /** Aborts when the client has disconnected. */
  signal: AbortSignal
  /** Whether the gateway is stopping: clients then reconnect to another one. */
  isStopping: () => boolean
}>

export const hasEnded = ({ state }: Job): boolean => state !== 'queued' && state !== 'running'

const shared = (atLeastMs: number, { subscribers }: JobStreamDeps): number =>
  Math.max(atLeastMs, subscribers() * SHARE_MS)

/** Resolves at the next change of a subject, after a second without any, or when the client has disconnected. */
const change = (subject: string, deps: JobStreamDeps): Promise<void> =>
  new Promise(resolve => {
    const { changes, clock, signal } = deps
    const done = () => {
      forget()
      timer.cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const forget = changes.once(subject, done)
    const timer = clock.timer(shared(REFRESH_MS, deps), done)
    if (signal.aborted) done()
    else signal.addEventListener('abort', done, { once: true })
  })

/**
 * The states of a subject's jobs: all of them at first, then each that has changed.
 *
 * @param subject whose changes to wait for: a job's id, or an owner
 * @param readJobs the jobs as they are now
 */
export async function* jobChanges(
  subject: string,
  readJobs: () => Promise<readonly Job[]>,
  deps: JobStreamDeps,
): AsyncGenerator<Job> {
  const sent = new Map<string, string>()
  while (!deps.signal.aborted && !deps.isStopping()) {
    const changed = change(subject, deps)
    const jobs = await readJobs()
    const ids = new Set(jobs.map(({ id }) => id))
    for (const id of sent.keys()) if (!ids.has(id)) sent.delete(id)
    for (const job of jobs) {
      const text = JSON.stringify(job)
      if (sent.get(job.id) === text) continue
      sent.set(job.id, text)
      yield job
    }
    await changed
    await sleep(deps.clock, shared(PAUSE_MS, deps), deps.signal).catch(() => {})
  }
}

/** The states of a job until it has ended, its end included, or until it is removed. */
export async function* jobProgress(
  id: string,
  readJobs: () => Promise<Job | undefined>,
  deps: JobStreamDeps,
): AsyncGenerator<Job> {
  const gone = new AbortController()
  const signal = AbortSignal.any([deps.signal, gone.signal])
  const jobs = async () => {
    const job = await readJobs()
    if (!job) gone.abort()
    return job ? [job] : []
  }
  for await (const job of jobChanges(id, jobs, { ...deps, signal })) {
    yield job
    if (hasEnded(job)) return
  }
}
