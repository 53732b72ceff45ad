import type { ServiceHealth } from './provider-health.ts'

/** The last known state of the database. */
export type RecordsFacts = Readonly<{
  backend: string
  /** How long the latest reading took; absent before the first. */
  latencyMs?: number | undefined
  failure?: string | undefined
}>

/** The last known state of the database and its queue. */
export type BatchFacts = RecordsFacts &
  Readonly<{
    /** Clock time of the report, milliseconds. */
    now: number
    depth:
      | Readonly<{
          queued: Readonly<Record<string, number>>
          running: number
          failed: number
          oldestAt?: number
          workers: number
        }>
      | undefined
    /** Items running in this process. */
    runningHere: number
  }>

const HUNDREDTHS = 100
const MS_PER_SECOND = 1000

/** Waiting time of the oldest item that is ready to run; undefined where there is none. */
export const oldestSeconds = ({ depth, now }: BatchFacts): number | undefined =>
  depth?.oldestAt === undefined ? undefined : Math.max(0, (now - depth.oldestAt) / MS_PER_SECOND)

/** Degraded at worst: batches wait for the database, and chats continue without it. */
export const recordsHealth = ({ backend, latencyMs, failure }: RecordsFacts): ServiceHealth => {
  if (failure !== undefined) return { status: 'degraded', message: failure }
  const latency = latencyMs !== undefined && { latencyMs: Math.round(latencyMs * HUNDREDTHS) / HUNDREDTHS }
  return { status: 'healthy', ...latency, message: `in ${backend}` }
}

export const queueHealth = (facts: BatchFacts): ServiceHealth => {
  if (facts.failure !== undefined)
    return { status: 'degraded', message: 'not known while the database is failing' }
  if (!facts.depth) return { status: 'healthy', message: 'not checked yet' }
  const { queued, running, failed, workers } = facts.depth
  const seconds = oldestSeconds(facts)
  const waiting = Object.entries(queued).map(([priority, count]) => `${count} ${priority}`)
  const oldest = seconds === undefined ? '' : `, the oldest for ${Math.round(seconds)} s`
  return {
    status: seconds !== undefined && workers === 0 ? 'degraded' : 'healthy',
    message: `${waiting.join(', ')} waiting${oldest}; ${running} running, ${failed} failed; workers: ${workers}`,
  }
}
