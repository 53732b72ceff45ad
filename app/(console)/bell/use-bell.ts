import { useEffect, useState, useSyncExternalStore } from 'react'
import type { Job } from '../gateway/job-wire.ts'
import { endsAsWords, endsOf } from './ends.ts'
import { noneSeen, onLook, seenEnds } from './seen.ts'

const NO_JOBS: readonly Job[] = []
const SAID_MS = 10_000

/** How many batches have finished since the visitor last looked, and the newest end in words. */
export function useBell(jobs: readonly Job[] | undefined): { count: number; news: string } {
  const seen = useSyncExternalStore(onLook, seenEnds, noneSeen)
  const [told, setTold] = useState({ jobs, news: '' })
  if (jobs !== told.jobs) {
    const news = endsAsWords(told.jobs ?? NO_JOBS, jobs ?? NO_JOBS)
    setTold({ jobs, news: news || told.news })
  }
  useEffect(() => {
    // Once said it is over, so that the same words can be said again.
    if (!told.news) return
    const timer = setTimeout(() => setTold(now => ({ ...now, news: '' })), SAID_MS)
    return () => clearTimeout(timer)
  }, [told.news])
  return { count: endsOf(jobs ?? NO_JOBS).filter(end => !seen.includes(end)).length, news: told.news }
}
