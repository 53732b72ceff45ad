import { beforeEach, describe, expect, it } from 'vitest'
import { Guesses } from '#lib/auth/guesses.ts'
import { newKey } from '#lib/auth/keys/format.ts'
import { keyRecords } from '#lib/auth/keys/records.ts'
import { KeyService } from '#lib/auth/keys/service.ts'
import type { KeyRecords, KeySettings } from '#lib/auth/keys/types.ts'
import { ADMIN, KeyVerifier } from '#lib/auth/keys/verifier.ts'
import { GatewayError } from '#lib/errors.ts'
import { keyJson } from '#lib/http/dialects/keys.ts'
import type { Records } from '#lib/storage/records/records.ts'
import { DATABASES, newDatabases } from '../support/databases.ts'
import { FakeClock } from '../support/fake-clock.ts'

const databases = newDatabases()

const PEPPER = 'a pepper of at least 32 characters'
const ADMIN_TOKEN = 'the-token-of-the-admin'
const ADDRESS = '192.0.2.1'
const ALL = { all: true } as const

/** One gateway's part of it: its own caches over a database that others share. */
const instance = (records: KeyRecords, clock: FakeClock) => {
  const guesses = new Guesses(clock)
  const shared = { now: () => clock.now() }
  const verifier = new KeyVerifier({
    records,
    pepper: PEPPER,
    adminToken: ADMIN_TOKEN,
    guesses,
    clock,
    shared,
    onUse: () => {},
  })
  const service = new KeyService({
    records,
    pepper: PEPPER,
    clock,
    onChange: () => verifier.changed(),
    lastUse: () => undefined,
  })
  const make = async (settings: Partial<KeySettings> = {}) =>
    service.create(ADMIN, { name: 'one', role: 'member', ...settings }, ALL)
  /** The id of the key, or the code and message with which it is refused. */
  const outcome = (secret: string, address = ADDRESS): Promise<string> =>
    verifier.verify(secret, address).then(
      ({ id }) => id,
      error => (error instanceof GatewayError ? `${error.code} ${error.message}` : String(error)),
    )
  return { verifier, service, make, outcome }
}

const NOT_VALID = 'UNAUTHENTICATED This API key is not valid.'

describe.each(DATABASES)('API keys in %s', kind => {
  let stored: KeyRecords
  let records: Records
  let clock: FakeClock
  beforeEach(async () => {
    records = await databases.openNew(kind)
    stored = keyRecords(records)
    clock = new FakeClock()
  })

  it('are known with everything that was chosen, and by no part of their secret', async () => {
    const { make, verifier } = instance(stored, clock)
    const settings: Partial<KeySettings> = {
      name: 'Grüße 🎉',
      owner: 'team',
      scopes: { routes: ['/v1/*'], models: ['mock/*'] },
      limits: { requestsPerMinute: 3, tokensPerMinute: 1_000, concurrency: 2 },
      budget: { dayNanoUsd: 1_000_000_000_000_000, monthNanoUsd: 0 },
      expiresAt: clock.now() + 60_000,
    }
    const { key, secret } = await make(settings)
    const identity = await verifier.verify(secret, ADDRESS)
    expect(identity).toMatchObject({ id: key.id, role: 'member', ...settings })
    const rows = await records.read(async db => [
      ...(await db.selectFrom('api_keys').selectAll().execute()),
      ...(await db.selectFrom('api_key_secrets').selectAll().execute()),
    ])
    expect(JSON.stringify(rows)).not.toContain(secret.slice(12))
    expect(JSON.stringify(rows)).not.toContain(PEPPER)
    expect(secret).toMatch(/^pk_live_[0-9A-Za-z]{40}$/)
    expect(secret.startsWith(key.prefix)).toBe(true)
  })

  it('look alike when unknown, revoked, expired, replaced, or not a key at all', async () => {
    const { make, service, outcome } = instance(stored, clock)
    const revoked = await make()
    await service.revoke(revoked.key.id, ALL)
    const expired = await make({ expiresAt: clock.now() + 10 })
    const rotated = await make()
    await service.rotate(rotated.key.id, 0, ALL)
    await clock.advance(10)
    const sent = [newKey(), revoked.secret, expired.secret, rotated.secret, 'sk-anything']
    expect(await Promise.all(sent.map((secret, at) => outcome(secret, `192.0.2.${at}`)))).toEqual(
      sent.map(() => NOT_VALID),
    )
  })

  it('of a wrong shape are refused without a look-up', async () => {
    let queries = 0
    const counted: KeyRecords = {
      ...stored,
      async findByDigest() {
        queries += 1
        return undefined
      },
    }
    const { outcome } = instance(counted, clock)
    const good = newKey()
    const wrong = [`${good}0`, good.slice(1), good.replace('live', 'test'), `${good.slice(0, -1)}-`]
    const flipped = good.slice(0, 20) + (good[20] === 'a' ? 'b' : 'a') + good.slice(21)
    for (const secret of [...wrong, flipped, '', 'x'.repeat(10_000)])
      expect(await outcome(secret, secret.slice(0, 40))).toBe(NOT_VALID)
    expect(queries).toBe(0)
  })

  it('are refused within 5 s of their revocation on every instance, and at once where it was made', async () => {
    const [here, there] = [instance(stored, clock), instance(stored, clock)]
    const { key, secret } = await here.make()
    expect(await there.outcome(secret)).toBe(key.id)
    await here.service.revoke(key.id, ALL)
    expect(await here.outcome(secret)).toBe(NOT_VALID)
    await clock.advance(5_000)
    expect(await there.outcome(secret)).toBe(NOT_VALID)
  })

  it('of a busy key are refused within 5 s of their revocation too', async () => {
    const [here, there] = [instance(stored, clock), instance(stored, clock)]
    const { key, secret } = await here.make()
    expect(await there.outcome(secret)).toBe(key.id)
    await here.service.revoke(key.id, ALL)
    const revokedAt = clock.now()
    while ((await there.outcome(secret)) === key.id) {
      await clock.advance(100)
      // Lets the look-up in the background end.
      await records.ping()
      expect(clock.now() - revokedAt).toBeLessThan(5_000)
    }
  })

  it('keep id and owner in a rotation, and both secrets until the overlap ends', async () => {
    const { make, service, outcome } = instance(stored, clock)
    const { key, secret } = await make({ owner: 'team' })
    const next = await service.rotate(key.id, 60_000, ALL)
    expect(next.key).toMatchObject({ id: key.id, owner: 'team' })
    expect([await outcome(secret), await outcome(next.secret)]).toEqual([key.id, key.id])
    const last = await service.rotate(key.id, 600_000, ALL)
    await clock.advance(60_000)
    expect(await outcome(secret)).toBe(NOT_VALID)
    expect([await outcome(next.secret), await outcome(last.secret)]).toEqual([key.id, key.id])
  })

  it('go on for 5 min while the database is down where they are known; others are STORE_UNAVAILABLE, never refused', async () => {
    let isDown = false
    const failing = async () => {
      throw new GatewayError('STORE_UNAVAILABLE')
    }
    const flaky: KeyRecords = {
      ...stored,
      findByDigest: digest => (isDown ? failing() : stored.findByDigest(digest)),
    }
    const { make, outcome } = instance(flaky, clock)
    const [known, other] = [await make(), await make()]
    expect(await outcome(known.secret)).toBe(known.key.id)
    isDown = true
    for (let minute = 1; minute <= 10; minute += 1) {
      await clock.advance(60_000)
      expect(await outcome(known.secret)).toMatch(minute < 5 ? known.key.id : /^STORE_UNAVAILABLE/)
      expect(await outcome(other.secret)).toMatch(/^STORE_UNAVAILABLE/)
      expect(await outcome(newKey())).toMatch(/^STORE_UNAVAILABLE/)
    }
    isDown = false
    expect(await outcome(other.secret)).toBe(other.key.id)
  })

  it('that were revoked hours ago do not come back when a query fails or hangs', async () => {
    let query = stored.findByDigest
    const there = instance({ ...stored, findByDigest: digest => query(digest) }, clock)
    const here = instance(stored, clock)
    const { key, secret } = await here.make()
    expect(await there.outcome(secret)).toBe(key.id)
    await here.service.revoke(key.id, ALL)
    await clock.advance(3 * 3_600_000)
    query = () => Promise.reject(new GatewayError('STORE_UNAVAILABLE'))
    expect(await there.outcome(secret)).toMatch(/^STORE_UNAVAILABLE/)
    query = () => new Promise(() => {})
    const hanging = there.outcome(secret)
    await clock.advance(1_000)
    expect(await hanging).toMatch(/^STORE_UNAVAILABLE/)
  })

  it('that are revoked are refused within 5 s too while strangers send more wrong ones than can be looked up', async () => {
    const [here, there] = [instance(stored, clock), instance(stored, clock)]
    const { key, secret } = await here.make()
    expect(await there.outcome(secret)).toBe(key.id)
    await here.service.revoke(key.id, ALL)
    await clock.advance(5_000)
    const flood = Array.from({ length: 3_000 }, (_, at) => there.outcome(newKey(), `2001:db8::${at}`))
    expect(await there.outcome(secret)).toBe(NOT_VALID)
    expect((await Promise.all(flood)).some(text => text.startsWith('STORE_UNAVAILABLE'))).toBe(true)
  })

  it('of others are found while one address sends 5,000 wrong ones at once', async () => {
    const { make, outcome, verifier } = instance(stored, clock)
    const made = await Promise.all(Array.from({ length: 20 }, () => make()))
    verifier.changed()
    const flood = Array.from({ length: 5_000 }, () => outcome(newKey()))
    const found = await Promise.all(made.map(({ secret }, at) => outcome(secret, `192.0.2.${100 + at}`)))
    expect(found).toEqual(made.map(({ key }) => key.id))
    await Promise.all(flood)
  })

  it('whose requests have timed out are not looked up later', async () => {
    const asked: string[] = []
    const held = Promise.withResolvers<undefined>()
    const hanging: KeyRecords = {
      ...stored,
      findByDigest: digest => {
        asked.push(digest)
        return held.promise
      },
    }
    const { outcome, verifier } = instance(hanging, clock)
    const sent = Array.from({ length: 50 }, () => outcome(newKey()))
    await clock.advance(1_001)
    expect((await Promise.all(sent)).every(text => text.startsWith('STORE_UNAVAILABLE'))).toBe(true)
    expect(asked).toHaveLength(10)
    held.resolve(undefined)
    verifier.changed()
    expect(await outcome(newKey(), '192.0.2.9')).toBe(NOT_VALID)
    expect(asked).toHaveLength(11)
  })

  it('are asked for once where 100 requests want to know whether there are any, and after a failure not for 1 s', async () => {
    let asked = 0
    let isDown = true
    const counted: KeyRecords = {
      ...stored,
      any: () => {
        asked += 1
        return isDown ? Promise.reject(new GatewayError('STORE_UNAVAILABLE')) : stored.any()
      },
    }
    const { verifier, service } = instance(counted, clock)
    const all = async () => {
      const asking = Array.from({ length: 100 }, () =>
        verifier.any().catch(error => (error instanceof GatewayError ? error.code : error)),
      )
      return [...new Set(await Promise.all(asking))]
    }
    expect([await all(), await all(), asked]).toEqual([['STORE_UNAVAILABLE'], ['STORE_UNAVAILABLE'], 1])
    isDown = false
    await clock.advance(1_000)
    expect([await all(), await all(), asked]).toEqual([[false], [false], 2])
    isDown = true
    await clock.advance(2_000)
    expect([await all(), await all(), asked]).toEqual([[false], [false], 3])
    isDown = false
    await service.create(ADMIN, { name: 'first', role: 'member' }, ALL)
    expect([await all(), asked]).toEqual([[true], 4])
  })

  it('do not wait longer than a second for a database that hangs', async () => {
    let hangs = false
    const never = new Promise<undefined>(() => {})
    const hanging: KeyRecords = {
      ...stored,
      findByDigest: digest => (hangs ? never : stored.findByDigest(digest)),
    }
    const { make, outcome } = instance(hanging, clock)
    const { key, secret } = await make()
    expect(await outcome(secret)).toBe(key.id)
    hangs = true
    await clock.advance(60_000)
    const both = [outcome(secret), outcome(newKey())]
    await clock.advance(1_000)
    expect(await Promise.all(both)).toEqual([key.id, expect.stringMatching(/^STORE_UNAVAILABLE/)])
    expect(await outcome(secret)).toBe(key.id)
  })

  it('F55: 500 keys at once after a flush take at most 20 look-ups at a time, one for each key, and none is refused', async () => {
    const seen = { running: 0, most: 0, all: 0 }
    const watched: KeyRecords = {
      ...stored,
      async findByDigest(digest) {
        seen.all += 1
        seen.running += 1
        seen.most = Math.max(seen.most, seen.running)
        try {
          return await stored.findByDigest(digest)
        } finally {
          seen.running -= 1
        }
      },
    }
    const { make, outcome, verifier } = instance(watched, clock)
    const made = await Promise.all(Array.from({ length: 50 }, () => make()))
    verifier.changed()
    const sent = Array.from({ length: 500 }, (_, at) => made[at % 50] as (typeof made)[number])
    const outcomes = await Promise.all(sent.map(({ secret }) => outcome(secret)))
    expect(outcomes).toEqual(sent.map(({ key }) => key.id))
    expect(seen.most).toBeLessThanOrEqual(20)
    expect(seen.all).toBe(50)
  })

  it('F36: 100,000 guesses cost ten refusals a minute and few look-ups; the right key still works', async () => {
    let queries = 0
    const counted: KeyRecords = {
      ...stored,
      findByDigest: digest => {
        queries += 1
        return stored.findByDigest(digest)
      },
    }
    const { make, outcome } = instance(counted, clock)
    const { key, secret } = await make()
    const guesses = Array.from({ length: 100_000 }, (_, at) => `pk_live_${String(at).padStart(40, '0')}`)
    const outcomes = await Promise.all(guesses.map(guess => outcome(guess)))
    expect(outcomes.filter(text => text === NOT_VALID)).toHaveLength(10)
    expect(outcomes.filter(text => text.startsWith('RATE_LIMITED'))).toHaveLength(99_990)
    expect(queries).toBe(0)
    const used = await make()
    expect(await outcome(used.secret)).toBe(used.key.id)
    queries = 0
    const shaped = Array.from({ length: 100 }, () => outcome(newKey()))
    expect(await outcome(used.secret)).toBe(used.key.id)
    expect((await Promise.all(shaped)).every(text => text.startsWith('RATE_LIMITED'))).toBe(true)
    expect(queries).toBeLessThanOrEqual(22)
    expect(await outcome(secret)).toBe(key.id)
  })

  it('the admin token is an admin, but not from an address that guesses', async () => {
    const { outcome } = instance(stored, clock)
    expect(await outcome(ADMIN_TOKEN)).toBe('admin')
    for (let guess = 0; guess < 10; guess += 1) await outcome(`wrong-${guess}`)
    expect(await outcome(ADMIN_TOKEN)).toMatch(/^RATE_LIMITED/)
    expect(await outcome(ADMIN_TOKEN, '192.0.2.9')).toBe('admin')
    await clock.advance(60_000)
    expect(await outcome(ADMIN_TOKEN)).toBe('admin')
  })

  it('are listed newest first, page by page, to those whose they are', async () => {
    const { make, service } = instance(stored, clock)
    const ids: string[] = []
    for (let at = 0; at < 5; at += 1) {
      await clock.advance(at % 2)
      ids.push((await make({ owner: at < 3 ? 'ada' : 'bob' })).key.id)
    }
    const listed: string[] = []
    let cursor: string | undefined
    do {
      const page = await service.list({ limit: 2, cursor }, ALL)
      listed.push(...page.entries.map(({ id }) => id))
      cursor = page.cursor
    } while (cursor)
    expect(listed.toSorted()).toEqual(ids.toSorted())
    const member = { id: ids[0] ?? '', name: 'one', owner: 'ada', role: 'member' } as const
    const own = await service.list({ limit: 50 }, { member })
    expect(own.entries.map(({ id }) => id).toSorted()).toEqual(ids.slice(0, 3).toSorted())
    await expect(service.find(ids[4], { member })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  describe('made by a member', () => {
    const restricted: Partial<KeySettings> = {
      owner: 'team',
      scopes: { routes: ['/v1/chat', '/api/keys'], models: ['mock/*'] },
      limits: { requestsPerMinute: 10, concurrency: 2 },
      budget: { dayNanoUsd: 100 },
    }

    it('never exceed it: what is absent is the maker’s, and more is refused', async () => {
      const { make, service, verifier } = instance(stored, clock)
      const expiresAt = clock.now() + 60_000
      const maker = await make({ ...restricted, expiresAt })
      const member = await verifier.verify(maker.secret, ADDRESS)
      const child = await service.create(member, { name: 'child', role: 'member' }, { member })
      expect(child.key).toMatchObject({ ...restricted, expiresAt, role: 'member', madeBy: maker.key.id })
      const wider: readonly [string, Partial<KeySettings>][] = [
        ['role', { role: 'admin' }],
        ['owner', { owner: 'other' }],
        ['scopes', { scopes: { routes: ['/v1'] } }],
        ['scopes', { scopes: { routes: ['*'] } }],
        ['scopes', { scopes: { models: ['*'] } }],
        ['scopes', { scopes: { models: ['mock/*', 'openai/gpt'] } }],
        ['limits.requestsPerMinute', { limits: { requestsPerMinute: 11 } }],
        ['limits.concurrency', { limits: { concurrency: 3 } }],
        ['budgetUsd', { budget: { dayNanoUsd: 101 } }],
        ['expiresAt', { expiresAt: expiresAt + 1 }],
      ]
      for (const [what, settings] of wider)
        await expect(
          service.create(member, { name: 'child', role: 'member', ...settings }, { member }),
        ).rejects.toMatchObject({ code: 'FORBIDDEN', message: expect.stringContaining(what) })
      for (const change of [
        { role: 'admin' as const },
        { owner: null },
        { scopes: null },
        { scopes: { models: null } },
        { limits: { concurrency: null } },
        { budget: null },
        { expiresAt: null },
      ])
        for (const id of [child.key.id, maker.key.id])
          await expect(service.change(id, change, { member })).rejects.toMatchObject({ code: 'FORBIDDEN' })
    })

    it('are known with all that made them, each with what it may use, the nearest first', async () => {
      const { make, service, verifier } = instance(stored, clock)
      const maker = await make(restricted)
      expect(await verifier.verify(maker.secret, ADDRESS)).not.toHaveProperty('makers')
      const childOf = async (secret: string, limits: KeySettings['limits']) => {
        const member = await verifier.verify(secret, ADDRESS)
        return service.create(member, { name: 'child', role: 'member', limits }, { member })
      }
      const child = await childOf(maker.secret, { requestsPerMinute: 5 })
      const grandchild = await childOf(child.secret, { requestsPerMinute: 3 })
      const { makers } = await verifier.verify(grandchild.secret, ADDRESS)
      expect(makers).toMatchObject([
        { id: child.key.id, limits: { requestsPerMinute: 5, concurrency: 2 }, budget: { dayNanoUsd: 100 } },
        { id: maker.key.id, limits: restricted.limits, budget: restricted.budget },
      ])
    })

    it('are narrowed when their maker is, and end with it', async () => {
      const { make, service, verifier, outcome } = instance(stored, clock)
      const maker = await make(restricted)
      const member = await verifier.verify(maker.secret, ADDRESS)
      const { secret } = await service.create(member, { name: 'child', role: 'member' }, { member })
      await service.change(
        maker.key.id,
        { limits: { requestsPerMinute: 4 }, scopes: { models: ['mock/echo'] } },
        ALL,
      )
      expect(await verifier.verify(secret, ADDRESS)).toMatchObject({
        limits: { requestsPerMinute: 4, concurrency: 2 },
        scopes: { models: ['mock/echo'], routes: restricted.scopes?.routes },
      })
      await service.revoke(maker.key.id, ALL)
      expect(await outcome(secret)).toBe(NOT_VALID)
    })

    it('are listed and read as revoked or expired where a key that made one of them is', async () => {
      const { make, service, verifier, outcome } = instance(stored, clock)
      const stateOf = async (id: string) => {
        const listed = (await service.list({ limit: 50 }, ALL)).entries.find(one => one.id === id)
        const read = [listed, await service.find(id, ALL)]
        return read.map(key => key && keyJson(key, clock.now()).state)
      }
      const childOf = async (secret: string) => {
        const member = await verifier.verify(secret, ADDRESS)
        return service.create(member, { name: 'child', role: 'member' }, { member })
      }
      const maker = await make({ expiresAt: clock.now() + 60_000 })
      const grandchild = await childOf((await childOf(maker.secret)).secret)
      const { id } = grandchild.key
      expect(await stateOf(id)).toEqual(['active', 'active'])
      await service.change(maker.key.id, { expiresAt: clock.now() + 30_000 }, ALL)
      await clock.advance(30_000)
      expect(await stateOf(id)).toEqual(['expired', 'expired'])
      await service.revoke(maker.key.id, ALL)
      expect(await stateOf(id)).toEqual(['revoked', 'revoked'])
      expect(keyJson(await service.change(id, { name: 'other' }, ALL), clock.now()).state).toBe('revoked')
      expect(await outcome(grandchild.secret)).toBe(NOT_VALID)
    })

    it('cannot be used to take over a wider key of the same owner', async () => {
      const { make, service, verifier } = instance(stored, clock)
      const wide = await make({ owner: 'team' })
      const narrow = await make(restricted)
      const member = await verifier.verify(narrow.secret, ADDRESS)
      const forbidden = { code: 'FORBIDDEN' }
      await expect(service.rotate(wide.key.id, 0, { member })).rejects.toMatchObject(forbidden)
      await expect(service.revoke(wide.key.id, { member })).rejects.toMatchObject(forbidden)
      await expect(service.change(wide.key.id, { name: 'x' }, { member })).rejects.toMatchObject(forbidden)
      expect(await service.find(wide.key.id, { member })).toMatchObject({ id: wide.key.id })
    })
  })

  it('that are revoked cannot be changed or rotated', async () => {
    const { make, service } = instance(stored, clock)
    const { key } = await make()
    const first = await service.revoke(key.id, ALL)
    await clock.advance(1_000)
    expect((await service.revoke(key.id, ALL)).revokedAt).toBe(first.revokedAt)
    await expect(service.rotate(key.id, 0, ALL)).rejects.toMatchObject({ code: 'CONFLICT' })
    await expect(service.change(key.id, { name: 'x' }, ALL)).rejects.toMatchObject({ code: 'CONFLICT' })
  })
})
