import { type Clock, repeat } from '../clock.ts'
import type { BatchRecords } from './types.ts'

const EVERY_MS = 600_000
/** A submission that has not finished after this time never will. */
const SUBMISSION_MS = 3_600_000

export type MaintenanceDeps = Readonly<{
  records: BatchRecords
  /** Remove what is no longer needed. @param before clock time of what interrupted work has left, ms */
  sweeps: readonly ((before: number) => Promise<unknown>)[]
  clock: Clock
  /** How long a finished job is kept. */
  keepMs: number
  onError: (error: unknown) => void
}>

/** Removes expired jobs, and remains of interrupted submissions and uploads, every ten minutes. */
export const runMaintenance = ({
  records,
  sweeps,
  clock,
  keepMs,
  onError,
}: MaintenanceDeps): Promise<never> => {
  const all: typeof sweeps = [
    () => records.removeEnded(clock.now() - keepMs),
    before => records.sweep(before),
    ...sweeps,
  ]
  return repeat({ clock, everyMs: EVERY_MS, onError }, async () => {
    // One that fails keeps no other from running.
    for (const sweep of all) await sweep(clock.now() - SUBMISSION_MS).catch(onError)
  })
}
