import { useCallback, useEffect, useState } from 'react'
import type { Result } from '../gateway/call.ts'
import { pause } from '../gateway/pause.ts'
import { sessionWithin } from '../gateway/session.ts'
import type { Failure } from '../gateway/wire.ts'
import { fetchRuns, type RunsPage, retryAfterMs } from './evaluations-api.ts'
import { isOpen, type Run } from './wire.ts'

/** Uses, with a report that is read as often, less than half of a guest's requests a minute. */
const POLL_MS = 5_000
const SESSION_MS = 2_000

/** The user's newest evaluations, read again while one of them runs, and after a failure that may pass. */
export function useRuns() {
  const [runs, setRuns] = useState<Run[]>()
  const [failure, setFailure] = useState<Failure>()
  const [round, setRound] = useState(0)
  const reload = useCallback(() => setRound(count => count + 1), [])

  useEffect(() => {
    const connection = new AbortController()
    const read = async () => {
      await sessionWithin(SESSION_MS)
      while (!connection.signal.aborted) {
        const result = await fetchRuns(connection.signal)
        if (connection.signal.aborted) return
        setFailure(result.failure)
        if (result.value) setRuns(result.value.evaluations)
        const pauseMs = pollAfterMs(result)
        if (pauseMs === undefined) return
        await pause(pauseMs, connection.signal)
      }
    }
    if (round >= 0) void read()
    return () => connection.abort()
  }, [round])

  return { runs, failure, reload }
}

/** The time until the list is read again; undefined where that would change nothing. */
function pollAfterMs({ value, failure }: Result<RunsPage>): number | undefined {
  if (failure) return retryAfterMs(failure, POLL_MS)
  return value.evaluations.some(isOpen) ? POLL_MS : undefined
}
