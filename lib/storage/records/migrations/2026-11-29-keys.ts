import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

const apiKeys = (db: Kysely<unknown>) =>
  db.schema
    .createTable('api_keys')
    .addColumn('id', 'text', column => column.primaryKey())
    .addColumn('name', 'text', column => column.notNull())
    .addColumn('owner', 'text')
    .addColumn('role', 'text', column => column.notNull())
    .addColumn('route_scopes', 'text')
    .addColumn('model_scopes', 'text')
    .addColumn('requests_per_minute', 'bigint')
    .addColumn('tokens_per_minute', 'bigint')
    .addColumn('concurrency', 'bigint')
    .addColumn('day_nano', 'bigint')
    .addColumn('month_nano', 'bigint')
    .addColumn('made_by', 'text', column => column.notNull())
    .addColumn('prefix', 'text', column => column.notNull())
    .addColumn('created_at', 'bigint', column => column.notNull())
    .addColumn('expires_at', 'bigint')
    .addColumn('revoked_at', 'bigint')

const secrets = (db: Kysely<unknown>) =>
  db.schema
    .createTable('api_key_secrets')
    .addColumn('digest', 'text', column => column.primaryKey())
    .addColumn('key_id', 'text', column => column.notNull())
    .addColumn('prefix', 'text', column => column.notNull())
    .addColumn('created_at', 'bigint', column => column.notNull())
    .addColumn('valid_until', 'bigint')

const endedSessions = (db: Kysely<unknown>) =>
  db.schema
    .createTable('ended_sessions')
    .addColumn('id', 'text', column => column.primaryKey())
    .addColumn('expires_at', 'bigint', column => column.notNull())

/** API keys, and the key of each batch. */
export const keys: Migration = {
  async up(db: Kysely<unknown>) {
    await apiKeys(db).execute()
    await db.schema.createIndex('api_keys_newest').on('api_keys').columns(['created_at', 'id']).execute()
    await db.schema.createIndex('api_keys_of_owner').on('api_keys').column('owner').execute()
    await db.schema.createIndex('api_keys_of_maker').on('api_keys').column('made_by').execute()
    await secrets(db).execute()
    await db.schema.createIndex('api_key_secrets_of_key').on('api_key_secrets').column('key_id').execute()
    await endedSessions(db).execute()
    for (const table of ['batch_jobs', 'v1_batches'])
      await db.schema.alterTable(table).addColumn('key_id', 'text').execute()
  },
}
