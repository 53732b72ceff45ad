import { sql } from 'kysely'
import type { Clock } from '../../clock.ts'
import type { Records } from './records.ts'

const COMPARE_MS = 30_000

/** How far the database's clock is ahead of ours, to within half a round trip. */
const leadMs = async (records: Records, clock: Clock): Promise<number> => {
  const askedAt = clock.now()
  const { rows } = await records.read(db =>
    sql<{ at: number }>`select (extract(epoch from clock_timestamp()) * 1000)::float8 as at`.execute(db),
  )
  return Number(rows[0]?.at) - (askedAt + clock.now()) / 2
}

/**
 * The clock for leases, shared by all processes on one database: Postgres' own, compared with ours every half minute.
 * Where Postgres is unavailable, the last comparison applies. An SQLite file is used on one machine, so our own clock
 * suffices.
 */
export const sharedClock = async (records: Records, clock: Clock): Promise<Clock> => {
  if (records.dialect === 'sqlite') return clock
  let lead = 0
  const compare = async () => {
    lead = await leadMs(records, clock).catch(() => lead)
  }
  await compare()
  const timer = clock.timer(COMPARE_MS, async () => {
    await compare()
    timer.refresh()
  })
  return { now: () => clock.now() + lead, timer: (delayMs, task) => clock.timer(delayMs, task) }
}
