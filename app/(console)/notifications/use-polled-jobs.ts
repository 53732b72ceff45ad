import { useEffect, useState } from 'react'
import type { Result } from '../gateway/call.ts'
import { isOver, type Job } from '../gateway/job-wire.ts'
import { fetchJobs, type JobsPage } from '../gateway/jobs.ts'
import { openSession } from '../gateway/session.ts'
import { onJobsAnnounced } from './jobs-channel.ts'

const POLL_MS = 10_000
/** For batches that were started elsewhere than in this browser. */
const IDLE_POLL_MS = 60_000

/**
 * The user's newest batches, for pages other than the batch page: loaded when the page opens, when it becomes visible
 * again, when another page of this browser announces a change, and periodically, more often while one of them is
 * unfinished. Not a stream, since browsers allow only six connections to a server, over all tabs.
 */
export function usePolledJobs(): Job[] | undefined {
  const [jobs, setJobs] = useState<Job[]>()

  useEffect(() => {
    const gone = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    let asking = false
    let isOutdated = false

    async function ask() {
      isOutdated = asking
      if (asking) return
      asking = true
      clearTimeout(timer)
      await openSession()
      const result = await fetchJobs(gone.signal)
      asking = false
      if (gone.signal.aborted) return
      if (result.value) setJobs(result.value.jobs)
      const pauseMs = isOutdated ? 0 : pollAfterMs(result)
      if (pauseMs !== undefined) timer = setTimeout(ask, pauseMs)
    }

    void ask()
    onJobsAnnounced(() => void ask(), gone.signal)
    document.addEventListener('visibilitychange', () => document.hidden || void ask(), {
      signal: gone.signal,
    })
    return () => {
      gone.abort()
      clearTimeout(timer)
    }
  }, [])

  return jobs
}

/** The time until the next request; undefined where it would change nothing. A hidden page asks when it is shown. */
function pollAfterMs({ value, failure }: Result<JobsPage>): number | undefined {
  if (failure) return failure.retryable ? POLL_MS : undefined
  if (value.jobs.some(job => !isOver(job))) return POLL_MS
  return document.hidden ? undefined : IDLE_POLL_MS
}
