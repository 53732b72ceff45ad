import { type Kysely, sql } from 'kysely'
import type { Records } from '../storage/records/records.ts'
import type { RecordsSchema } from '../storage/records/schema.ts'
import type { KvLimits, KvRecords } from './types.ts'

type Db = Kysely<RecordsSchema>

const entry = (db: Db, owner: string, key: string) =>
  db.selectFrom('kv_entries').select('bytes').where('owner', '=', owner).where('key', '=', key)

const ownersRow = (db: Db, owner: string) =>
  db
    .insertInto('kv_owners')
    .values({ owner, entries: 0, bytes: 0 })
    .onConflict(conflict => conflict.column('owner').doNothing())

/** One owner's writes run one after another: the next statement sees what the one before has stored. */
const locking = (db: Db, owner: string) =>
  db
    .updateTable('kv_owners')
    .set(({ ref }) => ({ bytes: ref('bytes') }))
    .where('owner', '=', owner)

const known = (db: Db, owner: string, key: string) => {
  const found = entry(db, owner, key)
  return {
    entries: sql<number>`(select count(*) from (${found}) as found)`,
    bytes: sql<number>`coalesce((${found}), 0)`,
  }
}

/** Counts a new value; matches no row where the owner has no room for it. */
const counting = (db: Db, owner: string, key: string, size: number, limits: KvLimits) => {
  const before = known(db, owner, key)
  const entries = sql<number>`entries + 1 - ${before.entries}`
  const bytes = sql<number>`bytes + cast(${size} as bigint) - ${before.bytes}`
  return db
    .updateTable('kv_owners')
    .set({ entries, bytes })
    .where('owner', '=', owner)
    .where(entries, '<=', limits.entries)
    .where(bytes, '<=', limits.bytes)
}

const storing = (db: Db, owner: string, key: string, value: string, limits: KvLimits) => {
  const bytes = Buffer.byteLength(value)
  return [
    ownersRow(db, owner),
    locking(db, owner),
    entry(db, owner, key),
    { query: counting(db, owner, key, bytes, limits).compile(), mustMatch: true },
    db
      .insertInto('kv_entries')
      .values({ owner, key, bytes, value })
      .onConflict(conflict => conflict.columns(['owner', 'key']).doUpdateSet({ bytes, value })),
  ]
}

const removing = (db: Db, owner: string, key: string) => {
  const before = known(db, owner, key)
  return [
    locking(db, owner),
    db
      .updateTable('kv_owners')
      .set({
        entries: sql<number>`entries - ${before.entries}`,
        bytes: sql<number>`bytes - ${before.bytes}`,
      })
      .where('owner', '=', owner),
    db.deleteFrom('kv_entries').where('owner', '=', owner).where('key', '=', key).returning('key'),
  ]
}

/** Callers' values in the records, SQLite's and Postgres' alike. */
export const kvRecords = (records: Records): KvRecords => ({
  get: (owner, key) =>
    records.read(async db => {
      const row = await db
        .selectFrom('kv_entries')
        .select('value')
        .where('owner', '=', owner)
        .where('key', '=', key)
        .executeTakeFirst()
      return row?.value
    }),
  async put(owner, key, value, limits) {
    const results = await records.writeTogether(db => storing(db, owner, key, value, limits))
    if (!results) return 'full'
    const [, , before] = results
    return before?.rows.length === 0 ? 'created' : 'replaced'
  },
  async remove(owner, key) {
    const [, , removed] = (await records.writeTogether(db => removing(db, owner, key))) ?? []
    return (removed?.rows.length ?? 0) > 0
  },
  list: (owner, { after, limit }) =>
    records.read(async db => {
      const query = db.selectFrom('kv_entries').select('key').where('owner', '=', owner)
      const rows = await (after === undefined ? query : query.where('key', '>', after))
        .orderBy('key')
        .limit(limit + 1)
        .execute()
      return { keys: rows.slice(0, limit).map(({ key }) => key), more: rows.length > limit }
    }),
})
