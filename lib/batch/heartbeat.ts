import { randomUUID } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { BatchRecords } from './types.ts'

const SIGN_OF_LIFE_MS = 5_000

export type HeartbeatDeps = Readonly<{
  records: Pick<BatchRecords, 'heartbeat' | 'probe'>
  clock: Clock
  /** Whether this process runs items. */
  runsItems: boolean
  isStopping: () => boolean
  /** Called when a database operation fails. */
  onError: (error: unknown) => void
}>

/**
 * Writes a heartbeat every five seconds until the gateway stops: as a worker that runs items, or else only to check
 * that the database is writable.
 */
export const heartbeat = ({ records, clock, runsItems, isStopping, onError }: HeartbeatDeps): void => {
  const id = randomUUID()
  const sign = async () => {
    if (isStopping()) return
    await (runsItems ? records.heartbeat(id, clock.now()) : records.probe(id)).catch(onError)
    timer.refresh()
  }
  const timer = clock.timer(SIGN_OF_LIFE_MS, () => void sign())
  void sign()
}
