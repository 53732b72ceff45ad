import { useEffect, useState } from 'react'
import { type Answer, isOpen } from '../conversation/turn.ts'

/** How long an open answer may bring nothing before that is shown. */
export const STALL_MS = 8_000

/** Whether an open answer has brought nothing for `STALL_MS`. A lost connection is shown as that instead. */
export function useStalled(answer: Answer | undefined): boolean {
  const [stalled, setStalled] = useState<Answer>()

  // Every change of the answer is a sign of life.
  useEffect(() => {
    if (!answer || !isAwaited(answer)) return
    const timer = setTimeout(() => setStalled(answer), STALL_MS)
    return () => clearTimeout(timer)
  }, [answer])

  return answer !== undefined && answer === stalled
}

const isAwaited = (answer: Answer): boolean =>
  isOpen(answer) && !(answer.state === 'streaming' && answer.connection === 'lost')
