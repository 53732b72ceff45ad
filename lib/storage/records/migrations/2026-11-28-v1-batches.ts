import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const files = (db: Kysely<unknown>) =>
  db.schema
    .createTable('files')
    .addColumn('id', 'text', column => column.primaryKey())
    .addColumn('owner', 'text', column => column.notNull())
    .addColumn('name', 'text', column => column.notNull())
    .addColumn('purpose', 'text', column => column.notNull())
    .addColumn('bytes', 'bigint', column => column.notNull())
    .addColumn('created_at', 'bigint', column => column.notNull())
    .addColumn('expires_at', 'bigint')
    .addColumn('batch_id', 'text')

const batches = (db: Kysely<unknown>) =>
  db.schema
    .createTable('v1_batches')
    .addColumn('id', 'text', column => column.primaryKey())
    .addColumn('owner', 'text', column => column.notNull())
    .addColumn('api', 'text', column => column.notNull())
    .addColumn('state', 'text', column => column.notNull())
    .addColumn('endpoint', 'text', column => column.notNull())
    .addColumn('input_file_id', 'text')
    .addColumn('metadata', 'text')
    .addColumn('output_ttl_ms', 'bigint')
    .addColumn('created_at', 'bigint', column => column.notNull())
    .addColumn('expires_at', 'bigint', column => column.notNull())
    .addColumn('fence', 'integer', column => column.notNull().defaultTo(0))
    .addColumn('lease_until', 'bigint', column => column.notNull().defaultTo(0))
    .addColumn('job_id', 'text')
    .addColumn('begun_at', 'bigint')
    .addColumn('cancelled_at', 'bigint')
    .addColumn('expired_at', 'bigint')
    .addColumn('ended_at', 'bigint')
    .addColumn('output_file_id', 'text')
    .addColumn('error_file_id', 'text')
    .addColumn('errors', 'text')
    .addColumn('usage', 'text')

/** Files of `/v1/files`, and the batches of `/v1` that are run by jobs. */
export const v1Batches: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .alterTable('batch_jobs')
      .addColumn('is_v1', 'integer', column => column.notNull().defaultTo(0))
      .execute()
    await files(db).execute()
    await batches(db).execute()
    await db.schema.createIndex('files_of_owner').on('files').columns(['owner', 'created_at', 'id']).execute()
    await db.schema
      .createIndex('v1_batches_of_owner')
      .on('v1_batches')
      .columns(['owner', 'api', 'created_at', 'id'])
      .execute()
    await db.schema
      .createIndex('v1_batches_open')
      .on('v1_batches')
      .columns(['state', 'lease_until'])
      .where(sql.ref('state'), 'in', sql`('validating', 'running')`)
      .execute()
  },
}
