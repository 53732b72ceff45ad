import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Caller } from '#lib/caller.ts'
import { systemClock } from '#lib/clock.ts'
import { runMaintenance } from '#lib/responses/maintenance.ts'
import { responseRecords } from '#lib/responses/records.ts'
import { ResponseService } from '#lib/responses/service.ts'
import type { ResponseRecords } from '#lib/responses/types.ts'
import { openRecords } from '#lib/storage/records/open.ts'
import type { Records } from '#lib/storage/records/records.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const ADA: Caller = { kind: 'anonymous', address: '192.0.2.1' }
const UNKNOWN: Caller = { kind: 'anonymous', address: 'unknown' }
const KEEP_MS = 60_000
const MINUTES_10 = 600_000

let database: Records
let records: ResponseRecords
let clock: FakeClock
beforeEach(async () => {
  database = await openRecords({ dataDir: mkdtempSync(join(tmpdir(), 'parley-responses-')) }, systemClock)
  records = responseRecords(database)
  clock = new FakeClock()
})
afterEach(() => database.close())

const serviceOf = (of: ResponseRecords | undefined) =>
  new ResponseService({
    records: of,
    clock,
    keepMs: KEEP_MS,
    mostCharacters: 10_000,
    onNotStored: () => {},
  })
const answer = (id: string, previousId?: string) => ({
  id,
  previousId,
  input: `[{"role":"user","content":"of ${id}"}]`,
  response: `{"id":"${id}","output":[{"id":"msg_${id}","type":"message"}]}`,
  contextIds: previousId === undefined ? [] : [previousId],
})

describe('the answers of a caller', () => {
  it('are kept for their time, and those that a newer one continues as long as that', async () => {
    const service = serviceOf(records)
    await service.keep(ADA, answer('1'))
    await clock.advance(KEEP_MS - 1)
    await service.keep(ADA, answer('2', '1'))
    await clock.advance(KEEP_MS - 1)
    expect(await service.inputItems(ADA, '2')).toEqual([
      '{"role":"user","content":"of 1"}',
      '{"id":"msg_1","type":"message"}',
      '{"role":"user","content":"of 2"}',
    ])
    await clock.advance(1)
    await expect(service.find(ADA, '1')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(service.find(ADA, '2')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(service.context(ADA, { previousId: '2', itemIds: [] })).rejects.toMatchObject({
      refusal: { code: 'previous_response_not_found', status: 400 },
    })
  })

  it('make no room for one that is too long for all of it', async () => {
    const service = serviceOf(records)
    await service.keep(ADA, answer('1'))
    expect(await service.keep(ADA, { ...answer('2'), input: `["${'x'.repeat(10_000)}"]` })).toBe(false)
    expect(await service.find(ADA, '1')).toBe(answer('1').response)
  })

  it('are removed from the database within ten minutes after their time', async () => {
    await serviceOf(records).keep(ADA, answer('1'))
    void runMaintenance({ records, clock, onError: () => {} })
    await expect.poll(() => clock.pending).toBe(1)
    await clock.advance(MINUTES_10)
    // Looked up at a time when it was still to be found.
    const found = () => records.find('address 192.0.2.1', '1', 0)
    await expect.poll(found).toBeUndefined()
  })

  it.each([
    ['without a database', () => serviceOf(undefined), ADA],
    ['of an unknown address', () => serviceOf(records), UNKNOWN],
  ])('are none %s, and what refers to one is refused', async (_, make, caller) => {
    const service = make()
    expect(service.keepsAnswersOf(caller)).toBe(false)
    expect(await service.keep(caller, answer('1'))).toBe(false)
    await expect(service.find(caller, '1')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(service.context(caller, { itemIds: ['msg_1'] })).rejects.toMatchObject({
      refusal: { status: 404, param: 'input' },
    })
    await expect(service.context(caller, { previousId: '1', itemIds: [] })).rejects.toMatchObject({
      refusal: { status: 400, param: 'previous_response_id' },
    })
  })
})
