import { beforeEach, describe, expect, it } from 'vitest'
import { rowAfter } from '#lib/audit/chain.ts'
import { AuditRecords } from '#lib/audit/records.ts'
import type { Audit } from '#lib/audit/types.ts'
import { keyRecords } from '#lib/auth/keys/records.ts'
import { KeyService } from '#lib/auth/keys/service.ts'
import type { KeyRecord } from '#lib/auth/keys/types.ts'
import { ADMIN } from '#lib/auth/keys/verifier.ts'
import { GatewayError } from '#lib/errors.ts'
import { auditedKeys } from '#lib/gateway/keys.ts'
import type { Records } from '#lib/storage/records/records.ts'
import { DATABASES, newDatabases } from '../support/databases.ts'
import { FakeClock } from '../support/fake-clock.ts'

const databases = newDatabases()

const ALL = { all: true } as const
const ONE = { name: 'one', role: 'member' } as const
const MANY = { requestsPerMinute: 100, tokensPerMinute: 1_000, concurrency: 10 }

/** The hash of a value in the log. */
const hashOf = (after: unknown) =>
  rowAfter(
    { sequence: 0, hash: '' },
    { actor: { kind: 'system' }, action: 'key.change', object: '', after },
    0,
  ).afterHash

describe.each(DATABASES)('changes of API keys in %s', kind => {
  let records: Records
  let service: KeyService
  let log: AuditRecords
  beforeEach(async () => {
    records = await databases.openNew(kind)
    const clock = new FakeClock()
    service = new KeyService({
      records: keyRecords(records),
      pepper: 'pepper',
      clock,
      onChange: () => {},
      lastUse: () => undefined,
    })
    log = new AuditRecords(records)
  })
  const audit: Audit = { append: (entry, transaction) => log.append(entry, 1, transaction) }
  const audited = () => auditedKeys(service, audit, { actor: { kind: 'system' } })
  const logged = async () => (await log.after(0, 100)).map(({ action, object }) => [action, object])

  it('at the same time keep each other: only the members that are named are written', async () => {
    const { key } = await service.create(ADMIN, { ...ONE, limits: MANY, scopes: { routes: ['/v1'] } }, ALL)
    await Promise.all([
      service.change(key.id, { limits: { requestsPerMinute: 1 } }, ALL),
      service.change(key.id, { limits: { tokensPerMinute: 2 } }, ALL),
      service.change(key.id, { limits: { concurrency: null } }, ALL),
      service.change(key.id, { scopes: { models: ['mock/*'] } }, ALL),
      service.change(key.id, { budget: { dayNanoUsd: 3 }, owner: 'ada' }, ALL),
      service.change(key.id, { budget: { monthNanoUsd: 4 }, name: 'two' }, ALL),
    ])
    expect(await service.find(key.id, ALL)).toMatchObject({
      name: 'two',
      owner: 'ada',
      limits: { requestsPerMinute: 1, tokensPerMinute: 2, concurrency: undefined },
      scopes: { routes: ['/v1'], models: ['mock/*'] },
      budget: { dayNanoUsd: 3, monthNanoUsd: 4 },
    })
    const without = await service.change(key.id, { limits: null, scopes: null, budget: null }, ALL)
    expect(without).toEqual(await service.find(key.id, ALL))
    for (const group of [without.limits, without.scopes, without.budget])
      expect(Object.values(group ?? {}).every(value => value === undefined)).toBe(true)
  })

  it('are logged under the id of the key, with the hashes of it before and after', async () => {
    const { key } = await audited().create(ADMIN, { ...ONE, limits: MANY }, ALL)
    const changed = await audited().change(key.id, { limits: { concurrency: 1 } }, ALL)
    expect(changed.limits).toEqual({ ...MANY, concurrency: 1 })
    // A use is no change.
    await keyRecords(records).used([{ id: key.id, usedAt: 1 }])
    const rotated = await audited().rotate(key.id, 0, ALL)
    const revoked = await audited().revoke(key.id, ALL)
    await audited().revoke(key.id, ALL)
    const states: readonly (readonly [string, KeyRecord | undefined, KeyRecord])[] = [
      ['key.create', undefined, key],
      ['key.change', key, changed],
      ['key.rotate', changed, rotated.key],
      ['key.revoke', rotated.key, revoked],
    ]
    expect(await log.after(0, 100)).toMatchObject(
      states.map(([action, before, after]) => ({
        action,
        object: key.id,
        beforeHash: before ? hashOf({ ...before, lastUsedAt: undefined }) : null,
        afterHash: hashOf({ ...after, lastUsedAt: undefined }),
      })),
    )
  })

  it('at the same time are logged one after another: each begins with what the one before left', async () => {
    const { key } = await audited().create(ADMIN, { ...ONE, limits: MANY }, ALL)
    await Promise.all([
      audited().change(key.id, { limits: { concurrency: 1 } }, ALL),
      audited().change(key.id, { name: 'two' }, ALL),
      audited().rotate(key.id, 0, ALL),
      audited().change(key.id, { owner: 'ada' }, ALL),
      audited().revoke(key.id, ALL),
    ])
    const rows = await log.after(0, 100)
    expect(rows).toHaveLength(6)
    expect(rows.slice(1).map(({ beforeHash }) => beforeHash)).toEqual(
      rows.slice(0, -1).map(({ afterHash }) => afterHash),
    )
  })

  it('that are refused are not logged, so that members cannot fill the log', async () => {
    const { key } = await audited().create(ADMIN, { ...ONE, owner: 'team', limits: MANY }, ALL)
    const wide = await audited().create(ADMIN, { ...ONE, owner: 'team' }, ALL)
    const before = await logged()
    const acting = { member: key }
    for (const refused of [
      () => audited().create(key, { ...ONE, role: 'admin' }, acting),
      () => audited().change(key.id, { role: 'admin' }, acting),
      () => audited().change(wide.key.id, { name: 'mine' }, acting),
      () => audited().rotate(wide.key.id, 0, acting),
      () => audited().revoke(wide.key.id, acting),
      () => audited().revoke('key_000000000000000000000000', acting),
    ])
      await expect(refused()).rejects.toBeInstanceOf(GatewayError)
    await service.revoke(wide.key.id, ALL)
    await expect(audited().rotate(wide.key.id, 0, ALL)).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await logged()).toEqual(before)
  })

  it('are not made where they cannot be logged', async () => {
    const failing: Audit = { append: () => Promise.reject(new GatewayError('STORE_UNAVAILABLE')) }
    const changes = auditedKeys(service, failing, { actor: { kind: 'system' } })
    const { key } = await service.create(ADMIN, ONE, ALL)
    for (const failed of [
      () => changes.create(ADMIN, ONE, ALL),
      () => changes.change(key.id, { name: 'two' }, ALL),
      () => changes.rotate(key.id, 0, ALL),
      () => changes.revoke(key.id, ALL),
    ])
      await expect(failed()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect((await service.list({ limit: 9 }, ALL)).entries).toEqual([key])
  })

  it('of 16 generations made by members work, and the next one is refused rather than made and never valid', async () => {
    let { key } = await service.create(ADMIN, ONE, ALL)
    for (let generation = 1; generation <= 16; generation += 1) {
      key = (await service.create(key, ONE, { member: key })).key
      expect(await keyRecords(records).findEffective(key.id)).toMatchObject({ id: key.id })
    }
    await expect(service.create(key, ONE, { member: key })).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringContaining('at most 16'),
    })
  })
})
