import type { ServiceHealth } from './provider-health.ts'

/** What was seen of the records and the queue in them. */
export type BatchFacts = Readonly<{
  place: string
  latencyMs: number | undefined
  failure?: string
  depth:
    | Readonly<{
        queued: Readonly<Record<string, number>>
        running: number
        failed: number
        oldestAt?: number
      }>
    | undefined
  /** Items that run in this process; absent where it runs none. */
  runningHere: number | undefined
}>

const HUNDREDTHS = 100

/** Nothing of a batch goes without its records. */
export const recordsHealth = ({ place, latencyMs, failure }: BatchFacts): ServiceHealth => {
  if (failure !== undefined) return { status: 'unhealthy', message: failure }
  const latency = latencyMs !== undefined && { latencyMs: Math.round(latencyMs * HUNDREDTHS) / HUNDREDTHS }
  return { status: 'healthy', ...latency, message: `in ${place}` }
}

export const queueHealth = ({ depth, runningHere }: BatchFacts): ServiceHealth => {
  if (!depth) return { status: 'healthy', message: 'not looked at yet' }
  const waiting = Object.entries(depth.queued).map(([priority, count]) => `${count} ${priority}`)
  const here = runningHere === undefined ? 'no worker here' : `${runningHere} of them here`
  return { status: 'healthy', message: `${waiting.join(', ')} waiting; ${depth.running} running, ${here}` }
}
