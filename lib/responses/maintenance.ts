import { type Clock, sleep } from '../clock.ts'
import type { ResponseRecords } from './types.ts'

const EVERY_MS = 600_000
const NEVER = new AbortController().signal

export type MaintenanceDeps = Readonly<{
  records: ResponseRecords
  clock: Clock
  onError: (error: unknown) => void
}>

/** Removes expired answers, every ten minutes. */
export const runMaintenance = async ({ records, clock, onError }: MaintenanceDeps): Promise<never> => {
  for (;;) {
    await records.removeExpired(clock.now()).catch(onError)
    await sleep(clock, EVERY_MS, NEVER)
  }
}
