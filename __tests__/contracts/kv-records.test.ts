import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { DAY_MS, systemClock } from '#lib/clock.ts'
import { sweepValues } from '#lib/kv/maintenance.ts'
import { kvRecords } from '#lib/kv/records.ts'
import { KvService } from '#lib/kv/service.ts'
import type { KvRecords } from '#lib/kv/types.ts'
import type { Records } from '#lib/storage/records/records.ts'
import { DATABASES, newDatabases } from '../support/databases.ts'
import { FakeClock } from '../support/fake-clock.ts'

const databases = newDatabases({ closed: 'after all tests' })

const LIMITS = { entries: 1_000, bytes: 1_000_000 }
const TIGHT = { entries: 2, bytes: 100 }

describe.each(DATABASES)('values in %s', kind => {
  /** Two processes on one database. */
  let open: Records[] = []
  let kv: KvRecords
  let other: KvRecords

  beforeAll(async () => {
    const location = await databases.locationOf(kind)
    open = [await databases.openAt(location), await databases.openAt(location)]
    const [one, two] = open.map(kvRecords)
    kv = one as KvRecords
    other = two as KvRecords
  })

  it('come back as they were spelled, to their owner alone', async () => {
    const text = '{ "n": 1.0, "id": 9007199254740993, "t": "\\u0000 Grüße 🎉" }'
    expect(await kv.put('guest ada', 'a', text, LIMITS)).toBe('created')
    expect(await other.get('guest ada', 'a')).toBe(text)
    expect(await other.get('guest bob', 'a')).toBeUndefined()
    expect(await other.remove('guest bob', 'a')).toBe(false)
    expect((await other.list('guest bob', { limit: 10 })).keys).toEqual([])
    expect(await other.put('guest ada', 'a', '2', LIMITS)).toBe('replaced')
    expect(await kv.get('guest ada', 'a')).toBe('2')
    expect(await kv.remove('guest ada', 'a')).toBe(true)
    expect(await kv.remove('guest ada', 'a')).toBe(false)
  })

  it('are listed in pages that together hold every key once', async () => {
    const keys = ['B', 'a', '-', '~x', '10', '9', '_', 'a.b']
    for (const key of keys) await kv.put('guest lists', key, '1', LIMITS)
    const found: string[] = []
    for (let after: string | undefined; ; ) {
      const page = await kv.list('guest lists', { after, limit: 3 })
      found.push(...page.keys)
      if (!page.more) break
      after = page.keys.at(-1)
    }
    expect(found.toSorted()).toEqual(keys.toSorted())
  })

  it('are bounded for each owner, in number and in bytes, replaced ones counted once', async () => {
    const owner = 'guest bounded'
    expect(await kv.put(owner, 'a', `"${'x'.repeat(58)}"`, TIGHT)).toBe('created')
    expect(await kv.put(owner, 'b', `"${'x'.repeat(48)}"`, TIGHT)).toBe('full')
    expect(await kv.get(owner, 'b')).toBeUndefined()
    expect(await kv.put(owner, 'a', `"${'x'.repeat(98)}"`, TIGHT)).toBe('replaced')
    expect(await kv.put(owner, 'a', '1', TIGHT)).toBe('replaced')
    expect(await kv.put(owner, 'b', '1', TIGHT)).toBe('created')
    expect(await kv.put(owner, 'c', '1', TIGHT)).toBe('full')
    expect(await kv.remove(owner, 'a')).toBe(true)
    expect(await kv.put(owner, 'c', '1', TIGHT)).toBe('created')
  })

  it('stay whole and counted once when 60 writers of two processes replace one at once', async () => {
    const owner = 'guest racing'
    const ada = { kind: 'guest', id: 'racing', address: 'unknown' } as const
    const services = [kv, other].map(records => new KvService({ records, clock: systemClock }))
    const texts = Array.from({ length: 60 }, (_, index) => JSON.stringify({ index, of: 'x'.repeat(index) }))
    const results = await Promise.all(texts.map((text, index) => services[index % 2]?.put(ada, 'k', text)))
    expect(results.filter(result => result === 'created')).toHaveLength(1)
    const left = await kv.get(owner, 'k')
    expect(texts).toContain(left)
    // What is free is exact: one byte more than the rest of the room is refused.
    const free = TIGHT.bytes - Buffer.byteLength(left ?? '')
    expect(await kv.put(owner, 'l', `"${'x'.repeat(free - 1)}"`, TIGHT)).toBe('full')
    expect(await kv.put(owner, 'l', `"${'x'.repeat(free - 2)}"`, TIGHT)).toBe('created')
  })

  describe('of callers without a key', () => {
    const guest = { kind: 'guest', id: 'expiring', address: 'unknown' } as const
    const anonymous = { kind: 'anonymous', address: '192.0.2.7' } as const
    const member = { kind: 'key', id: 'key_1', name: 'one', role: 'member', address: 'unknown' } as const

    it('end 30 days after the last one was stored, however many there are; those of a key stay', async () => {
      const clock = new FakeClock()
      const values = new KvService({ records: kv, clock })
      const sweep = () =>
        sweepValues({ records: other, clock, onError: error => expect(error).toBe(undefined) })
      const others = Array.from({ length: 25 }, (_, at) => ({ ...anonymous, address: `192.0.2.${100 + at}` }))
      for (const caller of [guest, anonymous, member, ...others]) await values.put(caller, 'a', '1')
      await clock.advance(29 * DAY_MS)
      await values.put(guest, 'b', '2')
      await clock.advance(DAY_MS)
      await sweep()
      expect(await values.get(guest, 'a')).toBe('1')
      expect(await values.get(member, 'a')).toBe('1')
      for (const caller of [anonymous, ...others])
        await expect(values.get(caller, 'a')).rejects.toMatchObject({ code: 'NOT_FOUND' })
      await clock.advance(29 * DAY_MS)
      await sweep()
      expect((await values.list(guest, { limit: 9 })).keys).toEqual([])
      expect(await values.put(guest, 'a', '3')).toBe('created')
      expect(await values.get(member, 'a')).toBe('1')
    })

    it('are 100 and 4 MB at most, where those of a key are 1,000', async () => {
      const clock = new FakeClock()
      const values = new KvService({ records: kv, clock })
      const ada = { ...guest, id: 'ada' }
      const large = `"${'x'.repeat(1_048_574)}"`
      for (const key of ['1', '2', '3', '4']) expect(await values.put(ada, key, large)).toBe('created')
      await expect(values.put(ada, '5', '1')).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' })
      for (const key of ['1', '2', '3', '4']) await values.remove(ada, key)
      const keys = Array.from({ length: 100 }, (_, at) => `k${at}`)
      await Promise.all(keys.map(key => values.put(ada, key, '1')))
      await expect(values.put(ada, 'more', '1')).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' })
      await Promise.all([...keys, 'more'].map(key => values.put({ ...member, id: 'key_2' }, key, '1')))
    })

    it('that are stored while expired ones are swept are never lost or refused', async () => {
      const owners = Array.from({ length: 10 }, (_, at) => `guest swept-${at}`)
      for (const owner of owners) await kv.put(owner, 'old', '1', { ...TIGHT, expiresAt: 1 })
      const [, ...stored] = await Promise.all([
        other.removeExpired(2, 100),
        ...owners.map(owner => kv.put(owner, 'new', '1', { ...TIGHT, expiresAt: 9 })),
      ])
      expect(stored).toEqual(owners.map(() => 'created'))
      expect(await Promise.all(owners.map(owner => other.get(owner, 'new')))).toEqual(owners.map(() => '1'))
    })
  })

  it('never reach another owner: 300 random operations of owners with the same keys', async () => {
    const owner = fc.constantFrom('guest 1', 'guest 10', 'key 1', 'owner 1', 'address 1')
    const key = fc.constantFrom('a', 'A', 'a.b', '~')
    const operation = fc.record({ owner, key, kind: fc.constantFrom('put', 'get', 'remove', 'list') })
    const operations = fc.sample(operation, { numRuns: 300, seed: 14 })
    const expected = new Map<string, string>()
    for (const [index, { owner, key, kind }] of operations.entries()) {
      const id = `${owner}/${key}`
      if (kind === 'put') {
        await kv.put(owner, key, JSON.stringify({ id, index }), LIMITS)
        expected.set(id, JSON.stringify({ id, index }))
      } else if (kind === 'remove') expect(await kv.remove(owner, key)).toBe(expected.delete(id))
      else if (kind === 'get') expect(await other.get(owner, key)).toBe(expected.get(id))
      else {
        const own = [...expected.keys()].filter(id => id.startsWith(`${owner}/`))
        const { keys } = await other.list(owner, { limit: 10 })
        expect(keys.map(key => `${owner}/${key}`).toSorted()).toEqual(own.toSorted())
      }
    }
  })
})
