import { type Kysely, sql } from 'kysely'
import type { Records } from '../storage/records/records.ts'
import type { RecordsSchema } from '../storage/records/schema.ts'
import type { KvLimits, KvRecords, KvTerms } from './types.ts'

type Db = Kysely<RecordsSchema>

const entry = (db: Db, owner: string, key: string) =>
  db.selectFrom('kv_entries').select('bytes').where('owner', '=', owner).where('key', '=', key)

/** The owner's row, made where there is none. It is locked either way, also against its removal. */
const ownersRow = (db: Db, owner: string, expiresAt: number | undefined) => {
  const expires_at = expiresAt === undefined ? null : Math.floor(expiresAt)
  return db
    .insertInto('kv_owners')
    .values({ owner, entries: 0, bytes: 0, expires_at })
    .onConflict(conflict => conflict.column('owner').doUpdateSet({ expires_at }))
}

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

const storing = (db: Db, owner: string, key: string, value: string, terms: KvTerms) => {
  const bytes = Buffer.byteLength(value)
  return [
    ownersRow(db, owner, terms.expiresAt),
    entry(db, owner, key),
    { query: counting(db, owner, key, bytes, terms).compile(), mustMatch: true },
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

/** Removes owners whose time is over. That is asked again of each row once it is locked: its owner may have written. */
const expired = (db: Db, now: number, most: number) =>
  db
    .deleteFrom('kv_owners')
    .where('expires_at', '<=', now)
    .where('owner', 'in', query =>
      query
        .selectFrom('kv_owners')
        .select('owner')
        .where('expires_at', '<=', now)
        .orderBy('expires_at')
        .limit(most),
    )
    .returning('owner')

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
  async put(owner, key, value, terms) {
    const results = await records.writeTogether(db => storing(db, owner, key, value, terms))
    if (!results) return 'full'
    const [, before] = results
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
  removeExpired: (now, most) =>
    records.write(async db => {
      const removed = await expired(db, Math.floor(now), most).execute()
      if (removed.length === 0) return 0
      const owners = removed.map(({ owner }) => owner)
      await db.deleteFrom('kv_entries').where('owner', 'in', owners).execute()
      return owners.length
    }),
})
