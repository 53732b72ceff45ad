import { describe, expect, it } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { insertions, type RequestRow } from '#lib/ledger/columns.ts'
import { Ledger } from '#lib/ledger/ledger.ts'
import { rollupOf } from '#lib/ledger/rollup.ts'
import { UsageService } from '#lib/ledger/service.ts'
import { LedgerWriter } from '#lib/ledger/writer.ts'
import { DATABASES, newDatabases } from '../support/databases.ts'
import { slowness } from '../support/machine-speed.ts'

const databases = newDatabases()

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** A Wednesday at noon. */
const NOON = Date.UTC(2026, 10, 25, 12)

describe.each(DATABASES)('the ledger in %s', kind => {
  it('answers the usage of a million requests within 100 ms, by any dimension', async () => {
    const records = await databases.openNew(kind)
    const newId = () => crypto.randomUUID()
    const writer = new LedgerWriter({ records, clock: systemClock, onLost: () => {} })
    const service = new UsageService({
      records,
      ledger: new Ledger(writer, newId),
      clock: systemClock,
      keepMs: 90 * DAY,
    })
    const { rollups } = insertions(records.dialect)
    const perHour = 2_000
    for (let day = 0; day < 25; day += 1) {
      const requests = Array.from({ length: 20 * perHour }, (_, n) => ({
        kind: 'request',
        at: NOON - DAY * day - 12 * HOUR + Math.floor(n / perHour) * HOUR,
        owner: `owner ${n % 10}`,
        key_id: `key-${n % 20}`,
        key_name: null,
        provider: 'fake',
        model: `model-${Math.floor(n / 20) % 4}`,
        outcome: 'ok',
        cache: 'miss',
        saved_nano: null,
        latency_ms: 100 + (n % 900),
        first_content_ms: 20 + (n % 90),
      })) as unknown as RequestRow[]
      await records.writeTogether(() => [rollups(rollupOf([], requests))])
    }
    for (const by of ['model', 'key', 'owner', 'day'] as const) {
      const took: number[] = []
      for (let turn = 0; turn < 7; turn += 1) {
        const startedAt = performance.now()
        const { total } = await service.usage({ from: NOON - 30 * DAY, to: NOON + 12 * HOUR, by: [by] })
        took.push((performance.now() - startedAt) / slowness())
        expect(total.requests).toBe(1_000_000)
      }
      // The quickest: other work of this machine is none of it.
      expect(Math.min(...took)).toBeLessThan(100)
    }
  })
})
