import { useEffect, useState } from 'react'
import { type Answer, isOpen } from '../conversation/turn.ts'

/** How long an open answer may bring nothing before that is shown. */
export const STALL_MS = 8_000

/** Whether an open answer has brought nothing for `STALL_MS`. A lost connection is shown as that instead. */
export function useStalled(answer: Answer | undefined): boolean {
  const [stalled, setStalled] = useState(false)
  const awaited = isOpen(answer) && !(answer?.state === 'streaming' && answer.connection === 'lost')

  // biome-ignore lint/correctness/useExhaustiveDependencies: every change of the answer is a sign of life
  useEffect(() => {
    if (!awaited) return
    const timer = setTimeout(() => setStalled(true), STALL_MS)
    return () => {
      clearTimeout(timer)
      setStalled(false)
    }
  }, [answer, awaited])

  return stalled && awaited
}
