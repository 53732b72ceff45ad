import { type Clock, repeat } from '../clock.ts'
import type { ResponseRecords } from './types.ts'

const EVERY_MS = 600_000

export type MaintenanceDeps = Readonly<{
  records: ResponseRecords
  clock: Clock
  onError: (error: unknown) => void
}>

/** Removes expired answers, every ten minutes. */
export const runMaintenance = ({ records, clock, onError }: MaintenanceDeps): Promise<never> =>
  repeat({ clock, everyMs: EVERY_MS, onError }, () => records.removeExpired(clock.now()))
