import { useCallback, useEffect, useReducer, useRef } from 'react'
import type { Job } from '../../gateway/job-wire.ts'
import { fetchJobs } from '../../gateway/jobs.ts'
import { announceJobs } from '../../notifications/jobs-channel.ts'
import { followJobs } from './follow-jobs.ts'
import { jobList, unknown } from './job-list.ts'
import { browserMemory, forgetJobs, rememberJobs } from './remembered-jobs.ts'

/** The user's batches, live while the connection is. */
export function useJobs() {
  const [list, dispatch] = useReducer(jobList, unknown)
  const connection = useRef<AbortController>(undefined)

  /** Lists the batches and follows them, as the session that this browser has now. */
  const refresh = useCallback(() => {
    connection.current?.abort()
    const current = new AbortController()
    connection.current = current
    void followJobs(action => current.signal.aborted || dispatch(action), current.signal)
  }, [])

  useEffect(() => {
    refresh()
    return () => connection.current?.abort()
  }, [refresh])

  useSharedJobs(list.jobs)

  async function showOlder() {
    const { value: page } = await fetchJobs(new AbortController().signal, list.nextCursor)
    if (page) dispatch({ type: 'listed-older', page })
  }

  return {
    ...list,
    showOlder,
    refresh,
    /** Adds a batch that this page has sent: the open connection may belong to a session that was lost since. */
    add: (job: Job) => {
      dispatch({ type: 'changed', job })
      refresh()
    },
    change: (job: Job) => dispatch({ type: 'changed', job }),
    drop: (id: string) => {
      forgetJobs([id], browserMemory())
      dispatch({ type: 'removed', id })
    },
    dismissLost: () => {
      forgetJobs(
        list.lost.map(({ id }) => id),
        browserMemory(),
      )
      dispatch({ type: 'dismissed' })
    },
  }
}

/** Remembers the batches in this browser, and notifies its other pages when one begins or ends. */
function useSharedJobs(jobs: readonly Job[] | undefined): void {
  const announced = useRef<string>(undefined)
  useEffect(() => {
    if (!jobs) return
    const ends = jobs.map(({ id, endedAt }) => `${id} ${endedAt}`).join('\n')
    if (ends === announced.current) return
    announced.current = ends
    rememberJobs(jobs, browserMemory())
    announceJobs()
  }, [jobs])
}
