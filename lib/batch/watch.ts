import { type Clock, sleep } from '../clock.ts'
import type { News } from './news.ts'
import type { Job } from './types.ts'

/** What happens in another process is seen after so long. */
const LOOK_MS = 1_000
/** However fast a job goes on, it is told of no more often than that. */
const PAUSE_MS = 250
/** The more there are who watch, the less often each looks: a hundred times a second all together. */
const SHARE_MS = 10

export type WatchParts = Readonly<{
  news: News
  clock: Clock
  /** How many watch now, this one included. */
  watchers: () => number
  /** Aborts when whoever watches has gone. */
  signal: AbortSignal
  /** Whether the gateway stops: whoever watches comes back to another one. */
  isStopping: () => boolean
}>

export const hasEnded = ({ state }: Job): boolean => state !== 'queued' && state !== 'running'

const shared = (atLeastMs: number, { watchers }: WatchParts): number =>
  Math.max(atLeastMs, watchers() * SHARE_MS)

/** Resolves at the next news of a subject, after a second without any, or when whoever watches has gone. */
const change = (subject: string, parts: WatchParts): Promise<void> =>
  new Promise(resolve => {
    const { news, clock, signal } = parts
    const done = () => {
      forget()
      timer.cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const forget = news.once(subject, done)
    const timer = clock.timer(shared(LOOK_MS, parts), done)
    if (signal.aborted) done()
    else signal.addEventListener('abort', done, { once: true })
  })

/**
 * What a subject's jobs become, over and over: all of them at first, then each that has changed.
 *
 * @param subject whose news to wait for: a job's id, or an owner
 * @param look the jobs as they are now
 */
export async function* changes(
  subject: string,
  look: () => Promise<readonly Job[]>,
  parts: WatchParts,
): AsyncGenerator<Job> {
  const told = new Map<string, string>()
  while (!parts.signal.aborted && !parts.isStopping()) {
    const changed = change(subject, parts)
    const jobs = await look()
    const ids = new Set(jobs.map(({ id }) => id))
    for (const id of told.keys()) if (!ids.has(id)) told.delete(id)
    for (const job of jobs) {
      const text = JSON.stringify(job)
      if (told.get(job.id) === text) continue
      told.set(job.id, text)
      yield job
    }
    await changed
    await sleep(parts.clock, shared(PAUSE_MS, parts), parts.signal).catch(() => {})
  }
}

/** What a job becomes until it has ended, its end included, or until it is removed. */
export async function* progress(
  id: string,
  look: () => Promise<Job | undefined>,
  parts: WatchParts,
): AsyncGenerator<Job> {
  const gone = new AbortController()
  const signal = AbortSignal.any([parts.signal, gone.signal])
  const jobs = async () => {
    const job = await look()
    if (!job) gone.abort()
    return job ? [job] : []
  }
  for await (const job of changes(id, jobs, { ...parts, signal })) {
    yield job
    if (hasEnded(job)) return
  }
}
