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
  /** Called with what the records could not do. */
  onError: (error: unknown) => void
}>

/**
 * Writes a sign of life every five seconds until the gateway stops: as one of those who run items, or else only to see
 * that the records can be written.
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
