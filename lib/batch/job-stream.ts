import { type Clock, sleep } from '../clock.ts'
import type { ChangeNotifier } from './change-notifier.ts'
import type { Job } from './types.ts'

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
