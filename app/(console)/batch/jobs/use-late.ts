import { useEffect, useState } from 'react'
import type { Job } from '../../gateway/job-wire.ts'

const SHORTEST_MS = 2_000
/** The longest time that browsers' timers take. */
const LONGEST_MS = 2 ** 31 - 1

/** Whether a batch has made no progress for as long as its remaining time was estimated. */
export function useLate({ etaSeconds, counts }: Job): boolean {
  const estimate = etaSeconds === null ? undefined : `${counts.succeeded} ${counts.failed} ${etaSeconds}`
  const [lateFor, setLateFor] = useState<string>()

  useEffect(() => {
    if (estimate === undefined || etaSeconds === null) return
    const ms = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, etaSeconds * 1_000))
    const timer = setTimeout(() => setLateFor(estimate), ms)
    return () => clearTimeout(timer)
  }, [estimate, etaSeconds])

  return estimate !== undefined && lateFor === estimate
}
