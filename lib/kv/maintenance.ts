import { type Clock, sleep } from '../clock.ts'
import type { KvRecords } from './types.ts'

const EVERY_MS = 600_000
/** Owners of one turn: few enough to delay no other writer. */
const AT_ONCE = 10
const NEVER = new AbortController().signal

export type MaintenanceDeps = Readonly<{
  records: Pick<KvRecords, 'removeExpired'>
  clock: Clock
  onError: (error: unknown) => void
}>

/** Removes all values whose time is over, in turns. */
export const sweepValues = async ({ records, clock }: MaintenanceDeps): Promise<void> => {
  while ((await records.removeExpired(clock.now(), AT_ONCE)) === AT_ONCE);
}

/** Sweeps expired values now, and every ten minutes. */
export const runMaintenance = async (deps: MaintenanceDeps): Promise<never> => {
  for (;;) {
    await sweepValues(deps).catch(deps.onError)
    await sleep(deps.clock, EVERY_MS, NEVER)
  }
}
