import { framesOf } from '../../gateway/frames.ts'
import type { Job } from '../../gateway/job-wire.ts'
import { fetchJobs } from '../../gateway/jobs.ts'
import { parsedJson } from '../../gateway/parsed-json.ts'
import { pause } from '../../gateway/pause.ts'
import { ReconnectBackoff } from '../../gateway/reconnect-backoff.ts'
import { renewSession } from '../../gateway/session.ts'
import type { Failure } from '../../gateway/wire.ts'
import type { Action } from './job-list.ts'
import { browserMemory, missingJobs } from './remembered-jobs.ts'

const LONGEST_PAUSE_MS = 15_000

/** Reports all of the user's batches as they change, reconnecting as needed, until `signal` aborts. */
export async function followJobs(dispatch: (action: Action) => void, signal: AbortSignal): Promise<void> {
  const backoff = new ReconnectBackoff()
  while (!signal.aborted) {
    const failure = await followOnce(dispatch, backoff, signal)
    if (signal.aborted) return
    dispatch({ type: 'lost', ...(failure && { failure }) })
    if (failure && !failure.retryable) return
    await pause(pauseMs(failure, backoff), signal)
  }
}

/**
 * One connection until it is lost; the list is loaded first, since the stream does not report removed batches. Remembered
 * batches that are missing in a complete list belong to a session that this browser has lost.
 */
async function followOnce(
  dispatch: (action: Action) => void,
  backoff: ReconnectBackoff,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  await renewSession()
  const { value: page, failure } = await fetchJobs(signal)
  if (failure) return failure
  const isComplete = page.nextCursor === null
  dispatch({
    type: 'listed',
    page,
    lost: isComplete ? missingJobs(page.jobs, Date.now(), browserMemory()) : [],
  })
  const response = await fetch('/api/batch/events', { signal }).catch(() => undefined)
  if (!response?.ok || !response.body) return undefined
  for await (const { frames } of framesOf(response.body, signal)) {
    backoff.renew()
    for (const { event, data } of frames) {
      const job = event === 'job' && (parsedJson(data) as Job | undefined)
      if (job) dispatch({ type: 'changed', job })
    }
  }
  return undefined
}

function pauseMs(failure: Failure | undefined, backoff: ReconnectBackoff): number {
  const askedMs = (failure?.retryAfterSeconds ?? 0) * 1_000
  return Math.max(askedMs, backoff.next() ?? LONGEST_PAUSE_MS)
}
