import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Stores the instruction of many items once, and not with each of them. */
export const instruction: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('batch_jobs').addColumn('instruction', 'text').execute()
    await db.schema
      .alterTable('batch_items')
      .addColumn('instructed', 'integer', column => column.notNull().defaultTo(0))
      .execute()
  },
}
