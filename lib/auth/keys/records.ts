import { type Kysely, sql, type Transaction } from 'kysely'
import { cursorOf, readCursor, rowsAfter } from '../../storage/records/pages.ts'
import type { Records } from '../../storage/records/records.ts'
import type { RecordsSchema } from '../../storage/records/schema.ts'
import { effective, makersOf, withMakersEnds } from './makers.ts'
import { type ChangedColumns, changedColumns, keyOf, rowOf } from './rows.ts'
import type { KeyRecord, KeyRecords, KeySecret, KeyUse } from './types.ts'

const KEY_ID = /^key_[\da-f]{24}$/

type Db = Kysely<RecordsSchema>

/** Most uses that one transaction writes. */
const MOST_USES = 500

const keyById = async (db: Db, id: string): Promise<KeyRecord | undefined> => {
  const row = await db.selectFrom('api_keys').selectAll().where('id', '=', id).executeTakeFirst()
  return row && keyOf(row)
}

const withMakersEnd = async (db: Db, key: KeyRecord): Promise<KeyRecord> =>
  (await withMakersEnds(db, [key]))[0] ?? key

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
  const after = cursor === undefined ? undefined : readCursor(cursor, KEY_ID)
  return query
    .where(where => rowsAfter(where, ['created_at', 'id'], 'desc', after))
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
}

/** Reads a key, and lets other transactions wait for this one before they do. */
const locked = async (db: Transaction<RecordsSchema>, id: string): Promise<KeyRecord> => {
  const query = db.updateTable('api_keys').set(({ ref }) => ({ name: ref('name') }))
  return keyOf(await query.where('id', '=', id).returningAll().executeTakeFirstOrThrow())
}

/** Writes columns of a key. @returns the key afterwards */
const update = async (db: Db, id: string, columns: ChangedColumns): Promise<KeyRecord> => {
  const query = db.updateTable('api_keys').set(columns).where('id', '=', id).returningAll()
  return keyOf(await query.executeTakeFirstOrThrow())
}

const replaceSecrets = async (db: Db, id: string, secret: KeySecret, othersUntil: number): Promise<void> => {
  const until = Math.floor(othersUntil)
  await db
    .updateTable('api_key_secrets')
    .set({ valid_until: until })
    .where('key_id', '=', id)
    .where(where => where.or([where('valid_until', 'is', null), where('valid_until', '>', until)]))
    .execute()
  await db.insertInto('api_key_secrets').values(secretRow(id, secret)).execute()
}

/** In the order of ids, so that no two processes wait for each other. */
const writeUses = async (records: Records, uses: readonly KeyUse[]): Promise<void> => {
  const inOrder = uses.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  for (let from = 0; from < inOrder.length; from += MOST_USES)
    await records.writeTogether(db =>
      inOrder.slice(from, from + MOST_USES).map(({ id, usedAt }) =>
        db
          .updateTable('api_keys')
          .set({ last_used_at: Math.floor(usedAt) })
          .where('id', '=', id)
          .where(where =>
            where.or([where('last_used_at', 'is', null), where('last_used_at', '<', Math.floor(usedAt))]),
          ),
      ),
    )
}

/** API keys in the records, SQLite's and Postgres' alike. */
export const keyRecords = (records: Records): KeyRecords => ({
  add: (key, secret, record) =>
    records.write(async db => {
      const row = await db.insertInto('api_keys').values(rowOf(key)).returningAll().executeTakeFirstOrThrow()
      await db.insertInto('api_key_secrets').values(secretRow(key.id, secret)).execute()
      const after = keyOf(row)
      await record({ action: 'key.create', after }, db)
      return after
    }),
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
  find: id =>
    records.read(async db => {
      const key = await keyById(db, id)
      return key && withMakersEnd(db, key)
    }),
  list: options =>
    records.read(async db => {
      const rows = await listed(db, options).execute()
      const entries = await withMakersEnds(db, rows.slice(0, options.limit).map(keyOf))
      const last = entries.at(-1)
      return rows.length > options.limit && last
        ? { entries, cursor: cursorOf({ at: last.createdAt, id: last.id }) }
        : { entries }
    }),
  countMakers: id =>
    records.read(async db => {
      const key = await keyById(db, id)
      return key && (await makersOf(db, key))?.length
    }),
  change: (id, change, record) =>
    records.write(async db => {
      const before = await locked(db, id)
      const columns = changedColumns(change)
      if (Object.keys(columns).length === 0) return withMakersEnd(db, before)
      const after = await update(db, id, columns)
      await record({ action: 'key.change', before, after }, db)
      return withMakersEnd(db, after)
    }),
  revoke: (id, now, record) =>
    records.write(async db => {
      const before = await locked(db, id)
      if (before.revokedAt !== undefined) return withMakersEnd(db, before)
      const after = await update(db, id, { revoked_at: Math.floor(now) })
      await record({ action: 'key.revoke', before, after }, db)
      return withMakersEnd(db, after)
    }),
  rotate: (id, secret, othersUntil, record) =>
    records.write(async db => {
      const before = await locked(db, id)
      const after = await update(db, id, { prefix: secret.prefix })
      await replaceSecrets(db, id, secret, othersUntil)
      await record({ action: 'key.rotate', before, after }, db)
      return withMakersEnd(db, after)
    }),
  used: uses => writeUses(records, uses),
  any: () =>
    records.read(async db => {
      const { rows } = await sql`select 1 from api_keys limit 1`.execute(db)
      return rows.length > 0
    }),
})
