import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** When an API key was last used, and when the values of a caller without one expire. */
export const lastUse: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('api_keys').addColumn('last_used_at', 'bigint').execute()
    await db.schema.alterTable('kv_owners').addColumn('expires_at', 'bigint').execute()
    await db.schema.createIndex('kv_owners_expired').on('kv_owners').column('expires_at').execute()
  },
}
