import { useEffect, useState } from 'react'
import { isOver, type Job } from '../gateway/job-wire.ts'
import { fetchJobs } from '../gateway/jobs.ts'
import { openSession } from '../gateway/session.ts'

const POLL_MS = 10_000

/**
 * The user's newest batches, for pages other than the batch page: loaded when the page opens, when it becomes visible
 * again, and periodically while one of them is unfinished. Not a stream, since browsers allow only six connections to a
 * server, over all tabs.
 */
export function usePolledJobs(): Job[] | undefined {
  const [jobs, setJobs] = useState<Job[]>()

  useEffect(() => {
    const gone = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    let asking = false

    async function ask() {
      if (asking) return
      asking = true
      clearTimeout(timer)
      await openSession()
      const { value, failure } = await fetchJobs(gone.signal)
      asking = false
      if (gone.signal.aborted) return
      if (value) setJobs(value.jobs)
      const maySoonBeOther = failure ? failure.retryable : value.jobs.some(job => !isOver(job))
      if (maySoonBeOther) timer = setTimeout(ask, POLL_MS)
    }

    void ask()
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
