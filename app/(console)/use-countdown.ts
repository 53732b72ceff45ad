import { useEffect, useState } from 'react'

/** Whole seconds left until `until` (as `Date.now()`); calls `onOver` once when none are left. */
export function useCountdown(until: number | undefined, onOver: () => void): number {
  const [now, setNow] = useState(Date.now)
  const left = until ? Math.max(0, Math.ceil((until - now) / 1_000)) : 0

  useEffect(() => {
    if (!until) return
    setNow(Date.now())
    const tick = setInterval(() => {
      setNow(Date.now())
      if (Date.now() >= until) {
        clearInterval(tick)
        onOver()
      }
    }, 250)
    return () => clearInterval(tick)
  }, [until, onOver])

  return left
}
