import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const NOTHING_YET = '0'.repeat(64)

/** The audit log, and its last row's number and hash, which appending locks. */
export const audit: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('audit_log')
      .addColumn('sequence', 'bigint', column => column.primaryKey())
      .addColumn('at', 'bigint', column => column.notNull())
      .addColumn('actor', 'text', column => column.notNull())
      .addColumn('action', 'text', column => column.notNull())
      .addColumn('object', 'text', column => column.notNull())
      .addColumn('before_hash', 'text')
      .addColumn('after_hash', 'text')
      .addColumn('detail', 'text')
      .addColumn('address', 'text')
      .addColumn('request_id', 'text')
      .addColumn('previous_hash', 'text', column => column.notNull())
      .addColumn('hash', 'text', column => column.notNull())
      .execute()
    await db.schema
      .createTable('audit_head')
      .addColumn('id', 'integer', column => column.primaryKey())
      .addColumn('sequence', 'bigint', column => column.notNull())
      .addColumn('hash', 'text', column => column.notNull())
      .execute()
    await sql`insert into audit_head (id, sequence, hash) values (1, 0, ${sql.lit(NOTHING_YET)})`.execute(db)
  },
}
