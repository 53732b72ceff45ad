import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Requests with an `Idempotency-Key`, and the results of those that are done. */
export const idempotency: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('idempotency_keys')
      .addColumn('owner', 'text', column => column.notNull())
      .addColumn('method', 'text', column => column.notNull())
      .addColumn('path', 'text', column => column.notNull())
      .addColumn('key', 'text', column => column.notNull())
      .addColumn('fingerprint', 'text', column => column.notNull())
      .addColumn('claim', 'text', column => column.notNull().unique())
      .addColumn('state', 'text', column => column.notNull())
      .addColumn('lease_until', 'bigint', column => column.notNull())
      .addColumn('expires_at', 'bigint', column => column.notNull())
      .addColumn('size', 'bigint', column => column.notNull().defaultTo(0))
      .addColumn('status', 'integer')
      .addColumn('headers', 'text')
      .addColumn('encoding', 'text')
      .addColumn('body', 'text')
      .addPrimaryKeyConstraint('idempotency_keys_key', ['owner', 'method', 'path', 'key'])
      .execute()
    const index = (name: string, columns: string[]) =>
      db.schema.createIndex(name).on('idempotency_keys').columns(columns).execute()
    await index('idempotency_keys_expired', ['expires_at'])
    await index('idempotency_keys_of_owner', ['owner', 'expires_at', 'size'])
  },
}
