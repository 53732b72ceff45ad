import { useEffect, useState } from 'react'
import { STALL_MS } from './use-stalled.ts'

/** Shown once an answer has stalled: for how long. Not announced; the page's one status does that. */
export function StillWaiting() {
  const [since] = useState(() => Date.now() - STALL_MS)
  const [now, setNow] = useState(Date.now)

  useEffect(() => {
    const tick = setInterval(() => setNow(Date.now()), 1_000)
    return () => clearInterval(tick)
  }, [])

  return (
    <p className="mt-3 text-sm text-muted">
      Still waiting for the model… <span className="tabular-nums">{Math.round((now - since) / 1_000)} s</span>
    </p>
  )
}
