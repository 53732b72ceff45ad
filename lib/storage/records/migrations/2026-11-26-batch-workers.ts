import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** The workers, and how often a run of an item was interrupted. */
export const batchWorkers: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('batch_workers')
      .addColumn('id', 'text', column => column.primaryKey())
      .addColumn('seen_at', 'bigint', column => column.notNull())
      .execute()
    await db.schema
      .alterTable('batch_items')
      .addColumn('cut_offs', 'integer', column => column.notNull().defaultTo(0))
      .execute()
  },
}
