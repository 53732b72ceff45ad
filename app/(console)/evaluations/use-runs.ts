import { useCallback, useEffect, useState } from 'react'
import { sessionWithin } from '../gateway/session.ts'
import type { Failure } from '../gateway/wire.ts'
import { fetchRuns } from './evaluations-api.ts'
import { isOpen, type Run } from './wire.ts'

const POLL_MS = 2_000
const SESSION_MS = 2_000

/** The user's newest evaluations, read again while one of them runs. */
export function useRuns() {
  const [runs, setRuns] = useState<Run[]>()
  const [failure, setFailure] = useState<Failure>()
  const [round, setRound] = useState(0)
  const reload = useCallback(() => setRound(count => count + 1), [])

  useEffect(() => {
    const connection = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const read = async () => {
      await sessionWithin(SESSION_MS)
      const { value, failure } = await fetchRuns(connection.signal)
      if (connection.signal.aborted) return
      setFailure(failure)
      if (value) setRuns(value.evaluations)
      if (value?.evaluations.some(isOpen)) timer = setTimeout(() => void read(), POLL_MS)
    }
    if (round >= 0) void read()
    return () => {
      connection.abort()
      clearTimeout(timer)
    }
  }, [round])

  return { runs, failure, reload }
}
