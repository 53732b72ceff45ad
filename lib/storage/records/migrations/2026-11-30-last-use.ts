import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** For a time before this migration, new databases got these columns with their tables. */
const addMissing = async (db: Kysely<unknown>, table: string, column: string): Promise<void> => {
  const known = (await db.introspection.getTables()).find(({ name }) => name === table)
  if (known?.columns.some(({ name }) => name === column)) return
  await db.schema.alterTable(table).addColumn(column, 'bigint').execute()
}

/** When an API key was last used, and when the values of a caller without one expire. */
export const lastUse: Migration = {
  async up(db: Kysely<unknown>) {
    await addMissing(db, 'api_keys', 'last_used_at')
    await addMissing(db, 'kv_owners', 'expires_at')
    await db.schema
      .createIndex('kv_owners_expired')
      .ifNotExists()
      .on('kv_owners')
      .column('expires_at')
      .execute()
  },
}
