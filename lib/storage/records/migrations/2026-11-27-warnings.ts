import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Stores an upload's warnings with its job. */
export const warnings: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('batch_jobs').addColumn('warnings', 'text').execute()
  },
}
