import { useEffect, useReducer } from 'react'
import type { Job } from '../../gateway/job-wire.ts'
import { fetchJobs } from '../../gateway/jobs.ts'
import { openSession } from '../../gateway/session.ts'
import { followJobs } from './follow-jobs.ts'
import { jobList, unknown } from './job-list.ts'

/** The user's batches, live while the connection is. */
export function useJobs() {
  const [list, dispatch] = useReducer(jobList, unknown)

  useEffect(() => {
    const gone = new AbortController()
    const tell: typeof dispatch = action => gone.signal.aborted || dispatch(action)
    void openSession().then(() => followJobs(tell, gone.signal))
    return () => gone.abort()
  }, [])

  async function showOlder() {
    const { value: page } = await fetchJobs(new AbortController().signal, list.nextCursor)
    if (page) dispatch({ type: 'listed-older', page })
  }

  return {
    ...list,
    showOlder,
    change: (job: Job) => dispatch({ type: 'changed', job }),
    drop: (id: string) => dispatch({ type: 'removed', id }),
  }
}
