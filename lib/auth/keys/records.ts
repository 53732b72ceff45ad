import { type Kysely, sql } from 'kysely'
import { ADMIN_ID } from '../../request-context.ts'
import type { Records } from '../../storage/records/records.ts'
import type { RecordsSchema } from '../../storage/records/schema.ts'
import { narrowed } from './restrict.ts'
import { changedColumns, cursorOf, keyOf, readCursor, rowOf } from './rows.ts'
import type { KeyRecord, KeyRecords, KeySecret } from './types.ts'

type Db = Kysely<RecordsSchema>

/** A key that was made by a key that was made by a key …; longer chains are not valid. */
const MOST_MAKERS = 16

const keyById = async (db: Db, id: string): Promise<KeyRecord | undefined> => {
  const row = await db.selectFrom('api_keys').selectAll().where('id', '=', id).executeTakeFirst()
  return row && keyOf(row)
}

/** A key with the restrictions of all keys that made it. */
const effective = async (db: Db, key: KeyRecord): Promise<KeyRecord | undefined> => {
  let narrow = key
  let { madeBy } = key
  for (let count = 0; madeBy !== ADMIN_ID; count += 1) {
    const maker = count < MOST_MAKERS ? await keyById(db, madeBy) : undefined
    if (!maker) return undefined
    narrow = narrowed(narrow, maker)
    madeBy = maker.madeBy
  }
  return narrow
}

const secretRow = (keyId: string, { digest, prefix, createdAt }: KeySecret) => ({
  digest,
  key_id: keyId,
  prefix,
  created_at: Math.floor(createdAt),
  valid_until: null,
})

const listed = (db: Db, { limit, cursor, group }: Parameters<KeyRecords['list']>[0]) => {
  let query = db.selectFrom('api_keys').selectAll()
  if (group)
    query = query.where(where =>
      where.or([
        where('id', '=', group.id),
        where('made_by', '=', group.id),
        ...(group.owner === undefined ? [] : [where('owner', '=', group.owner)]),
      ]),
    )
  if (cursor !== undefined) {
    const { createdAt, id } = readCursor(cursor)
    query = query.where(where =>
      where.or([
        where('created_at', '<', createdAt),
        where.and([where('created_at', '=', createdAt), where('id', '<', id)]),
      ]),
    )
  }
  return query
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
}

const rotation = (db: Db, id: string, secret: KeySecret, othersUntil: number) => [
  db
    .updateTable('api_key_secrets')
    .set({ valid_until: Math.floor(othersUntil) })
    .where('key_id', '=', id)
    .where(where =>
      where.or([where('valid_until', 'is', null), where('valid_until', '>', Math.floor(othersUntil))]),
    ),
  db.insertInto('api_key_secrets').values(secretRow(id, secret)),
  db.updateTable('api_keys').set({ prefix: secret.prefix }).where('id', '=', id),
]

/** API keys in the records, SQLite's and Postgres' alike. */
export const keyRecords = (records: Records): KeyRecords => ({
  async add(key, secret) {
    await records.writeTogether(db => [
      db.insertInto('api_keys').values(rowOf(key)),
      db.insertInto('api_key_secrets').values(secretRow(key.id, secret)),
    ])
  },
  findByDigest: digest =>
    records.read(async db => {
      const found = await db
        .selectFrom('api_key_secrets as secret')
        .innerJoin('api_keys as key', 'key.id', 'secret.key_id')
        .selectAll('key')
        .select(['secret.digest', 'secret.valid_until'])
        .where('secret.digest', '=', digest)
        .executeTakeFirst()
      const key = found && (await effective(db, keyOf(found)))
      return key && { key, digest: found.digest, validUntil: found.valid_until ?? undefined }
    }),
  findEffective: id =>
    records.read(async db => {
      const key = await keyById(db, id)
      return key && effective(db, key)
    }),
  find: id => records.read(db => keyById(db, id)),
  list: options =>
    records.read(async db => {
      const rows = await listed(db, options).execute()
      const entries = rows.slice(0, options.limit).map(keyOf)
      const last = entries.at(-1)
      return rows.length > options.limit && last ? { entries, cursor: cursorOf(last) } : { entries }
    }),
  async change(key, members) {
    const columns = changedColumns(key, members)
    if (Object.keys(columns).length === 0) return
    await records.writeTogether(db => [db.updateTable('api_keys').set(columns).where('id', '=', key.id)])
  },
  async revoke(id, now) {
    await records.writeTogether(db => [
      db
        .updateTable('api_keys')
        .set({ revoked_at: Math.floor(now) })
        .where('id', '=', id)
        .where('revoked_at', 'is', null),
    ])
  },
  async rotate(id, secret, othersUntil) {
    await records.writeTogether(db => rotation(db, id, secret, othersUntil))
  },
  any: () =>
    records.read(async db => {
      const { rows } = await sql`select 1 from api_keys limit 1`.execute(db)
      return rows.length > 0
    }),
})
