import { sql } from 'kysely'
import type { Clock } from '../../clock.ts'
import type { Records } from './records.ts'

const COMPARE_MS = 30_000

/** How far the database's clock is ahead of ours, give or take half of the time that asking takes. */
const leadMs = async (records: Records, clock: Clock): Promise<number> => {
  const askedAt = clock.now()
  const { rows } = await records.read(db =>
    sql<{ at: number }>`select (extract(epoch from clock_timestamp()) * 1000)::float8 as at`.execute(db),
  )
  return Number(rows[0]?.at) - (askedAt + clock.now()) / 2
}

/**
 * The clock by which all processes on one database agree until when something is leased: Postgres' own, compared with
 * ours every half minute. Where it cannot be asked, the last comparison holds. A file of SQLite's is used on one
 * machine, so that our own clock does.
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
