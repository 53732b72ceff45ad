import { beforeEach, describe, expect, it } from 'vitest'
import { Guesses } from '#lib/auth/guesses.ts'
import { newKey } from '#lib/auth/keys/format.ts'
import { keyRecords } from '#lib/auth/keys/records.ts'
import { KeyService } from '#lib/auth/keys/service.ts'
import type { KeyRecords, KeyUse } from '#lib/auth/keys/types.ts'
import { KeyUses } from '#lib/auth/keys/uses.ts'
import { ADMIN, KeyVerifier } from '#lib/auth/keys/verifier.ts'
import { GatewayError } from '#lib/errors.ts'
import type { Records } from '#lib/storage/records/records.ts'
import { DATABASES, newDatabases } from '../support/databases.ts'
import { FakeClock } from '../support/fake-clock.ts'

const databases = newDatabases()

const PEPPER = 'a pepper of at least 32 characters'
const ADDRESS = '192.0.2.1'
const ALL = { all: true } as const

describe.each(DATABASES)('the last use of API keys in %s', kind => {
  let stored: KeyRecords
  let clock: FakeClock
  let written: (readonly KeyUse[])[]
  let write: (uses: readonly KeyUse[]) => Promise<void>
  let errors: unknown[]

  /** A gateway, and what it writes at the moment. */
  const instance = (records: Records) => {
    stored = keyRecords(records)
    const pending: Promise<void>[] = []
    const uses = new KeyUses({
      write: some => {
        written.push(some)
        const writing = write(some)
        pending.push(writing.catch(() => {}))
        return writing
      },
      clock,
      onError: error => errors.push(error),
    })
    const verifier = new KeyVerifier({
      records: stored,
      pepper: PEPPER,
      adminToken: undefined,
      guesses: new Guesses(clock),
      clock,
      shared: clock,
      onUse: id => uses.used(id),
    })
    const serviceOf = (lastUse: (id: string) => number | undefined) =>
      new KeyService({ records: stored, pepper: PEPPER, clock, onChange: () => verifier.changed(), lastUse })
    /** Lets time pass, and what is written meanwhile be written. */
    const pass = async (milliseconds: number) => {
      await clock.advance(milliseconds)
      await Promise.all(pending.splice(0))
      await clock.advance(0)
    }
    return {
      uses,
      verifier,
      pass,
      service: serviceOf(id => uses.latest(id)),
      elsewhere: serviceOf(() => undefined),
    }
  }
  let here: ReturnType<typeof instance>

  beforeEach(async () => {
    clock = new FakeClock()
    written = []
    errors = []
    here = instance(await databases.openNew(kind))
    write = uses => stored.used(uses)
  })

  const make = () => here.service.create(ADMIN, { name: 'one', role: 'admin' }, ALL)
  const use = (secret: string) => here.verifier.verify(secret, ADDRESS)
  const seenElsewhere = async (id: string) => (await here.elsewhere.find(id, ALL)).lastUsedAt

  it('is written in groups, once a minute for each key, and is exact to a minute', async () => {
    const keys = [await make(), await make(), await make()]
    for (let time = 0; time < 50; time += 1) for (const { secret } of keys) await use(secret)
    const first = clock.now()
    await here.pass(1_000)
    expect(written.map(group => group.length)).toEqual([3])
    for (const { key } of keys) expect(await seenElsewhere(key.id)).toBe(first)
    for (let second = 1; second < 59; second += 1) {
      await use(keys[0]?.secret ?? '')
      await here.pass(1_000)
    }
    const last = clock.now() - 1_000
    expect(written).toHaveLength(1)
    await here.pass(3_000)
    expect(written.slice(1)).toEqual([[{ id: keys[0]?.key.id, usedAt: last }]])
    expect(
      (await here.elsewhere.list({ limit: 9 }, ALL)).entries.map(({ lastUsedAt }) => lastUsedAt),
    ).toEqual(expect.arrayContaining([first, first, last]))
    await here.pass(3_600_000)
    expect(written).toHaveLength(2)
    expect(clock.pending).toBe(0)
  })

  it('of another key is not held up by the minute of the first', async () => {
    const [one, two] = [await make(), await make()]
    await use(one.secret)
    await here.pass(1_000)
    await use(one.secret)
    await here.pass(1_000)
    await use(two.secret)
    const at = clock.now()
    await here.pass(1_000)
    expect(await seenElsewhere(two.key.id)).toBe(at)
  })

  it('is shown at once by the gateway that saw it, and is undefined before', async () => {
    const { key, secret } = await make()
    expect((await here.service.find(key.id, ALL)).lastUsedAt).toBeUndefined()
    await use(secret)
    for (const shown of [
      await here.service.find(key.id, ALL),
      await here.service.change(key.id, { name: 'two' }, ALL),
      (await here.service.list({ limit: 1 }, ALL)).entries[0],
    ])
      expect(shown?.lastUsedAt).toBe(clock.now())
    expect(written).toEqual([])
  })

  it('is also that by an item of a batch or a session; refused credentials are none', async () => {
    const [used, revoked] = [await make(), await make()]
    await here.service.revoke(revoked.key.id, ALL)
    await expect(use(revoked.secret)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    await expect(use(newKey())).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    expect(await here.verifier.activeById(revoked.key.id)).toBeUndefined()
    expect(await here.verifier.activeById(used.key.id)).toMatchObject({ id: used.key.id })
    await here.pass(1_000)
    expect(written.flat().map(({ id }) => id)).toEqual([used.key.id])
  })

  it('is not waited for by requests, and tried again a minute later where the database fails', async () => {
    const { key, secret } = await make()
    const held = Promise.withResolvers<void>()
    write = () => held.promise
    await use(secret)
    const at = clock.now()
    await clock.advance(1_000)
    expect(written).toHaveLength(1)
    expect(await use(secret)).toMatchObject({ id: key.id })
    held.reject(new GatewayError('STORE_UNAVAILABLE'))
    write = uses => stored.used(uses)
    await here.pass(58_000)
    expect([errors.length, written.length, await seenElsewhere(key.id)]).toEqual([1, 1, undefined])
    await here.pass(3_000)
    expect([errors.length, await seenElsewhere(key.id)]).toEqual([1, at + 1_000])
  })

  it('that another gateway has stored later stays, and what is not stored is at the end', async () => {
    const { key, secret } = await make()
    await use(secret)
    await here.pass(1_000)
    const later = clock.now() + 5_000
    await stored.used([{ id: key.id, usedAt: later }])
    await use(secret)
    await here.uses.close()
    expect(written).toHaveLength(2)
    expect(await seenElsewhere(key.id)).toBe(later)
    await clock.advance(10_000)
    await use(secret)
    await here.uses.close()
    expect(await seenElsewhere(key.id)).toBe(clock.now())
  })
})
