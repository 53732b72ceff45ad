import { randomUUID } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { BatchRecords } from './types.ts'

const SIGN_OF_LIFE_MS = 5_000

export type AttendanceParts = Readonly<{
  records: Pick<BatchRecords, 'attend'>
  clock: Clock
  isStopping: () => boolean
  /** Told of what the store could not do. */
  onTrouble: (error: unknown) => void
}>

/** Has this process counted among those who run items, until it stops. */
export const attend = ({ records, clock, isStopping, onTrouble }: AttendanceParts): void => {
  const id = randomUUID()
  const sign = async () => {
    if (isStopping()) return
    await records.attend(id, clock.now()).catch(onTrouble)
    timer.refresh()
  }
  const timer = clock.timer(SIGN_OF_LIFE_MS, () => void sign())
  void sign()
}
