import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { batchRecords } from '#lib/batch/records/records.ts'
import { type Clock, systemClock } from '#lib/clock.ts'
import { openRecords } from '#lib/storage/records/open.ts'
import type { Records } from '#lib/storage/records/records.ts'
import { sharedClock } from '#lib/storage/records/shared-clock.ts'
import { PostgresServer } from '../support/postgres.ts'

const LEASE_MS = 20_000

let server: PostgresServer
beforeAll(async () => {
  server = await PostgresServer.start()
})
afterAll(() => server.remove())

/** A machine's clock that goes wrong by so much, and its timers, which fire when told to. */
const wrongBy = (milliseconds: number) => {
  const due: (() => void)[] = []
  const clock: Clock = {
    now: () => systemClock.now() + milliseconds,
    timer: (_, task) => {
      due.push(task)
      return { refresh: () => {}, cancel: () => {} }
    },
  }
  return { clock, due }
}

describe('the clock of those who share a Postgres', () => {
  it('is the same for all, so that none takes what another still runs', async () => {
    const databaseUrl = await server.database()
    const open = async (wrongMs: number) => {
      const { clock } = wrongBy(wrongMs)
      const records = await openRecords({ databaseUrl, dataDir: '' }, clock)
      return { records, clock: await sharedClock(records, clock) }
    }
    const [late, early] = await Promise.all([open(-30_000), open(30_000)])
    expect(Math.abs(late.clock.now() - early.clock.now())).toBeLessThan(1_000)
    const claim = async ({ records, clock }: { records: Records; clock: Clock }) =>
      batchRecords(records).claim({ count: 1, now: clock.now(), leaseMs: LEASE_MS })
    await batchRecords(late.records).submit(
      { id: `batch_${'0'.repeat(32)}`, owner: 'guest ada', name: 'A job', priority: 'normal', createdAt: 0 },
      [{ id: '1', request: { prompt: 'Hello', maxTokens: 1, cache: 'default', fallback: true } }],
    )
    expect(await claim(late)).toHaveLength(1)
    expect(await claim(early)).toHaveLength(0)
    for (const { records } of [late, early]) await records.close()
  })

  it('keeps its last comparison while the database cannot be asked', async () => {
    const { clock, due } = wrongBy(3_600_000)
    const records = await openRecords({ databaseUrl: await server.database(), dataDir: '' }, clock)
    const shared = await sharedClock(records, clock)
    await records.close()
    for (const task of due) await task()
    expect(Math.abs(shared.now() - systemClock.now())).toBeLessThan(1_000)
  })

  it('is the machine’s own for a file', async () => {
    const { clock } = wrongBy(5_000)
    const records = await openRecords({ dataDir: mkdtempSync(join(tmpdir(), 'parley-clock-')) }, clock)
    expect(await sharedClock(records, clock)).toBe(clock)
    await records.close()
  })
})
