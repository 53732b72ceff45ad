import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Values that callers store under keys of their own, and how much each owner has stored. */
export const keyValue: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('kv_owners')
      .addColumn('owner', 'text', column => column.primaryKey())
      .addColumn('entries', 'bigint', column => column.notNull())
      .addColumn('bytes', 'bigint', column => column.notNull())
      .execute()
    await db.schema
      .createTable('kv_entries')
      .addColumn('owner', 'text', column => column.notNull())
      .addColumn('key', 'text', column => column.notNull())
      .addColumn('bytes', 'bigint', column => column.notNull())
      .addColumn('value', 'text', column => column.notNull())
      .addPrimaryKeyConstraint('kv_entries_key', ['owner', 'key'])
      .execute()
  },
}
