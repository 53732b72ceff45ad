import { sql } from 'kysely'
import { beforeEach, describe, expect, it } from 'vitest'
import { hashOf, NOTHING_YET, rowAfter } from '#lib/audit/chain.ts'
import { AuditRecords } from '#lib/audit/records.ts'
import type { AuditAnchor, AuditEntry } from '#lib/audit/types.ts'
import { verifyAudit } from '#lib/audit/verify.ts'
import type { Records } from '#lib/storage/records/records.ts'
import { DATABASES, newDatabases } from '../support/databases.ts'

const databases = newDatabases()

const entry = (object: string): AuditEntry => ({
  actor: { kind: 'key', id: 'key_1' },
  action: 'key.change',
  object,
  before: { name: 'a', limit: 1 },
  after: { limit: 2, name: 'a' },
  detail: { field: 'limit' },
  address: '127.0.0.1',
  requestId: 'r1',
})

describe.each(DATABASES)('the audit log in %s', kind => {
  let records: Records
  let other: Records
  let log: AuditRecords

  const read = { head: () => log.head(), after: (from: number, limit: number) => log.after(from, limit) }
  const verdict = (anchors: readonly AuditAnchor[] = []) => verifyAudit(read, anchors)
  const tamper = (statement: string) => records.write(db => sql.raw(statement).execute(db))
  const faultAt = async (anchors: readonly AuditAnchor[] = []) => {
    const found = await verdict(anchors)
    return found.ok ? undefined : found.fault.sequence
  }

  beforeEach(async () => {
    const location = await databases.locationOf(kind)
    records = await databases.openAt(location)
    other = await databases.openAt(location)
    log = new AuditRecords(records)
    for (let count = 1; count <= 5; count += 1) await log.append(entry(`key_${count}`), 1_000 + count)
  })

  it('holds who did what to which object, by hashes that do not depend on the order of members', async () => {
    const [first] = await log.after(0, 1)
    expect(first).toEqual(rowAfter(NOTHING_YET, entry('key_1'), 1_001))
    expect(first).toMatchObject({
      sequence: 1,
      actor: 'key key_1',
      action: 'key.change',
      detail: '{"field":"limit"}',
    })
    const same = rowAfter(NOTHING_YET, { ...entry('key_1'), before: { limit: 1, name: 'a' } }, 1_001)
    expect(same.beforeHash).toBe(first?.beforeHash)
    expect(first?.afterHash).not.toBe(first?.beforeHash)
  })

  it('is one chain without gaps when 40 entries are appended at once by two processes', async () => {
    const logs = [log, new AuditRecords(other)]
    await Promise.all(
      Array.from({ length: 40 }, (_, index) => logs[index % 2]?.append(entry(`many_${index}`), 2_000)),
    )
    expect(await verdict()).toMatchObject({ ok: true, last: { sequence: 45 } })
  })

  it('has the entry of a transaction exactly where that is committed', async () => {
    await records.write(db => log.append(entry('committed'), 3_000, db))
    const failed = records.write(async db => {
      await log.append(entry('undone'), 3_000, db)
      throw new Error('the action failed')
    })
    await expect(failed).rejects.toThrow('the action failed')
    const [newest] = await log.before(undefined, 1)
    expect(newest).toMatchObject({ sequence: 6, object: 'committed' })
    expect(await verdict()).toMatchObject({ ok: true })
  })

  it.each([
    ['altered', "update audit_log set object = 'x' where sequence = 3", 3],
    ['altered in its time', 'update audit_log set at = at + 1 where sequence = 4', 4],
    ['altered, the last one', "update audit_log set actor = 'system' where sequence = 5", 5],
    ['removed', 'delete from audit_log where sequence = 2', 2],
    ['removed, the first one', 'delete from audit_log where sequence = 1', 1],
    ['removed, the last one', 'delete from audit_log where sequence = 5', 5],
    ['renumbered', 'update audit_log set sequence = 9 where sequence = 5', 5],
  ])('names the first row that was %s', async (_, statement, row) => {
    expect(await faultAt()).toBeUndefined()
    await tamper(statement)
    expect(await faultAt()).toBe(row)
  })

  const rewritten = async (sequence: number, object: string): Promise<void> => {
    const [row] = await log.after(sequence - 1, 1)
    if (!row) throw new Error('there is no such row')
    const hash = hashOf({ ...row, object })
    await tamper(`update audit_log set object = '${object}', hash = '${hash}' where sequence = ${sequence}`)
  }

  it('names the row after one that was altered together with its hash', async () => {
    await rewritten(3, 'x')
    const found = await verdict()
    expect(found).toMatchObject({ ok: false, fault: { sequence: 4 } })
    expect(found.ok || found.fault.reason).toContain('row 3 was altered')
  })

  it('names a row that was inserted at the end, also one that continues the chain', async () => {
    const [last] = await log.before(undefined, 1)
    const row = rowAfter({ sequence: 5, hash: last?.hash ?? '' }, entry('forged'), 9_000)
    await tamper(
      `insert into audit_log (sequence, at, actor, action, object, before_hash, after_hash, detail, address, request_id, previous_hash, hash)
       values (6, 9000, '${row.actor}', '${row.action}', 'forged', '${row.beforeHash}', '${row.afterHash}', '${row.detail}', '${row.address}', '${row.requestId}', '${row.previousHash}', '${row.hash}')`,
    )
    expect(await faultAt()).toBe(6)
  })

  it('finds by an anchor what was removed or written anew together with the head', async () => {
    const anchor = await log.head()
    const [, , third] = await log.after(0, 3)
    await tamper('delete from audit_log where sequence > 3')
    await tamper(`update audit_head set sequence = 3, hash = '${third?.hash}'`)
    expect(await faultAt()).toBeUndefined()
    expect(await faultAt([anchor])).toBe(4)
    for (const object of ['new_4', 'new_5']) await log.append(entry(object), 9_000)
    expect(await faultAt()).toBeUndefined()
    expect(await faultAt([anchor])).toBe(5)
  })
})
