import { useEffect, useState, useSyncExternalStore } from 'react'
import type { Job } from '../gateway/job-wire.ts'
import { endsAsWords, endsOf } from './ends.ts'
import { noneSeen, onLook, seenEnds } from './seen.ts'

const NO_JOBS: readonly Job[] = []
const SAID_MS = 10_000

/** What the page before this one knew: a batch that ends between two pages is announced by the second. */
let latest: readonly Job[] | undefined

/** How many batches have finished since the user last looked, and a message about the newest one. */
export function useNotifications(jobs: readonly Job[] | undefined): { count: number; announcement: string } {
  const seen = useSyncExternalStore(onLook, seenEnds, noneSeen)
  const [announced, setAnnounced] = useState(() => ({ jobs: latest, message: '' }))
  if (jobs && jobs !== announced.jobs) {
    const announcement = endsAsWords(announced.jobs ?? NO_JOBS, jobs)
    setAnnounced({ jobs, message: announcement || announced.message })
  }
  useEffect(() => {
    if (jobs) latest = jobs
  }, [jobs])
  useEffect(() => {
    // Cleared after it was announced, so that the same text can be announced again.
    if (!announced.message) return
    const timer = setTimeout(() => setAnnounced(now => ({ ...now, message: '' })), SAID_MS)
    return () => clearTimeout(timer)
  }, [announced.message])
  return {
    count: endsOf(jobs ?? NO_JOBS).filter(end => !seen.includes(end)).length,
    announcement: announced.message,
  }
}
