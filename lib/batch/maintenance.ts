import { type Clock, sleep } from '../clock.ts'
import type { BatchRecords } from './types.ts'
import type { UploadService } from './upload-service.ts'

const EVERY_MS = 600_000
/** A submission that has not finished after this time never will. */
const SUBMISSION_MS = 3_600_000
const NEVER = new AbortController().signal

export type MaintenanceDeps = Readonly<{
  records: BatchRecords
  uploads: UploadService
  clock: Clock
  /** How long a finished job is kept. */
  keepMs: number
  onError: (error: unknown) => void
}>

/** Removes expired jobs, and remains of interrupted submissions and uploads, every ten minutes. */
export const runMaintenance = async ({
  records,
  uploads,
  clock,
  keepMs,
  onError,
}: MaintenanceDeps): Promise<never> => {
  for (;;) {
    try {
      await records.removeEnded(clock.now() - keepMs)
      await records.sweep(clock.now() - SUBMISSION_MS)
      await uploads.sweep(clock.now() - SUBMISSION_MS)
    } catch (err) {
      onError(err)
    }
    await sleep(clock, EVERY_MS, NEVER)
  }
}
