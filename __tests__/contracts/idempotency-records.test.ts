import { beforeAll, describe, expect, it } from 'vitest'
import { idempotencyRecords } from '#lib/idempotency/records.ts'
import type { IdempotencyRecords, RequestKey } from '#lib/idempotency/types.ts'
import type { Records } from '#lib/storage/records/records.ts'
import { DATABASES, newDatabases } from '../support/databases.ts'

const databases = newDatabases({ closed: 'after all tests' })

const NOW = 1_000_000
const LEASE = 30_000
const DAY = 86_400_000
const timesAt = (now: number) => ({ now, leaseUntil: now + LEASE, expiresAt: now + DAY })
const result = (text: string) => ({
  status: 201,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from(text),
})

describe.each(DATABASES)('idempotency keys in %s', kind => {
  /** Two processes on one database. */
  let open: Records[] = []
  let one: IdempotencyRecords
  let two: IdempotencyRecords
  let count = 0

  beforeAll(async () => {
    const location = await databases.locationOf(kind)
    open = [await databases.openAt(location), await databases.openAt(location)]
    const [first, second] = open.map(idempotencyRecords)
    one = first as IdempotencyRecords
    two = second as IdempotencyRecords
  })

  const newKey = (): RequestKey => {
    count += 1
    return { owner: 'guest ada', method: 'POST', path: '/api/chat', key: `key ${count}` }
  }
  const newClaim = (): string => crypto.randomUUID()

  it('are claimed by one of 20 requests at once in two processes', async () => {
    const key = newKey()
    const found = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 ? one : two).claim(key, 'f', newClaim(), timesAt(NOW)),
      ),
    )
    expect(found.filter(each => each === 'claimed')).toHaveLength(1)
    expect(found.filter(each => each !== 'claimed' && each.state === 'running')).toHaveLength(19)
  })

  it('give the result to the same body, and a mismatch to another, also while the first one runs', async () => {
    const key = newKey()
    const claim = newClaim()
    await one.claim(key, 'f', claim, timesAt(NOW))
    expect(await two.claim(key, 'other', newClaim(), timesAt(NOW))).toEqual({ state: 'other-body' })
    expect(await one.complete(claim, result('{"a":"Grüße 🎉"}'))).toBe(true)
    expect(await two.claim(key, 'f', newClaim(), timesAt(NOW + 1))).toEqual({
      state: 'done',
      result: result('{"a":"Grüße 🎉"}'),
    })
    expect(await two.claim(key, 'other', newClaim(), timesAt(NOW + 1))).toEqual({ state: 'other-body' })
  })

  it('have nothing in common with the same key of another owner, method or path', async () => {
    const key = newKey()
    for (const changed of [{}, { owner: 'guest bob' }, { method: 'PUT' }, { path: '/v1/files' }])
      expect(await one.claim({ ...key, ...changed }, 'f', newClaim(), timesAt(NOW))).toBe('claimed')
  })

  it.each([Buffer.from([0, 255, 10, 0]), Buffer.from('a\0b'), Buffer.alloc(0)])(
    'keep bytes that are no text: %s',
    async body => {
      const key = newKey()
      const claim = newClaim()
      await one.claim(key, 'f', claim, timesAt(NOW))
      await one.complete(claim, { status: 200, headers: {}, body })
      const found = await two.claim(key, 'f', newClaim(), timesAt(NOW))
      expect(found !== 'claimed' && found.state === 'done' && Buffer.compare(found.result.body, body)).toBe(0)
    },
  )

  it('are free again 30 s after the last renewal, and the process that lost its claim writes nothing', async () => {
    const key = newKey()
    const [lost, next] = [newClaim(), newClaim()]
    await one.claim(key, 'f', lost, timesAt(NOW))
    await one.renew([lost], NOW + 10_000 + LEASE)
    expect(await two.claim(key, 'f', next, timesAt(NOW + 39_999))).toEqual({ state: 'running' })
    expect(await two.claim(key, 'another body', next, timesAt(NOW + 40_000))).toBe('claimed')
    await one.release(lost)
    expect(await one.complete(lost, result('"late"'))).toBe(false)
    expect(await two.complete(next, result('"first"'))).toBe(true)
    expect(await one.claim(key, 'another body', newClaim(), timesAt(NOW + 40_000))).toMatchObject({
      state: 'done',
    })
  })

  it('are free again at once when they are released, but not once they are done', async () => {
    const key = newKey()
    const [released, done] = [newClaim(), newClaim()]
    await one.claim(key, 'f', released, timesAt(NOW))
    await one.release(released)
    expect(await two.claim(key, 'g', done, timesAt(NOW))).toBe('claimed')
    await two.complete(done, undefined)
    await two.release(done)
    expect(await one.claim(key, 'g', newClaim(), timesAt(NOW))).toEqual({ state: 'without-result' })
  })

  it('are free again 24 hours later, and removed a portion at a time', async () => {
    const keys = [newKey(), newKey(), newKey()]
    for (const key of keys) {
      const claim = newClaim()
      await one.claim(key, 'f', claim, timesAt(NOW - 10 * DAY))
      await one.complete(claim, result('1'))
    }
    const [first] = keys as [RequestKey]
    expect(await one.claim(first, 'g', newClaim(), timesAt(NOW - 9 * DAY - 1))).toEqual({
      state: 'other-body',
    })
    expect(await one.claim(first, 'g', newClaim(), timesAt(NOW - 9 * DAY))).toBe('claimed')
    expect(await one.removeExpired(NOW - 8 * DAY, 2)).toBe(2)
    expect(await one.removeExpired(NOW - 8 * DAY, 2)).toBe(1)
    expect(await one.removeExpired(NOW - 8 * DAY, 2)).toBe(0)
  })

  it('lose the oldest results of an owner beyond its room, and still run once', async () => {
    const keys = [1, 2, 3].map(age => ({ age, key: { ...newKey(), owner: 'guest large' } }))
    for (const { age, key } of keys) {
      const claim = newClaim()
      await one.claim(key, 'f', claim, timesAt(NOW + age))
      await one.complete(claim, result('x'.repeat(100)))
    }
    await one.dropBeyond('guest large', 250)
    const states = []
    for (const { key } of keys) states.push(await two.claim(key, 'f', newClaim(), timesAt(NOW + 9)))
    expect(states).toMatchObject([{ state: 'without-result' }, { state: 'done' }, { state: 'done' }])
  })
})
