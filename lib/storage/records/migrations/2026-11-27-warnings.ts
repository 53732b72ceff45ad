import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** What of an upload was passed over is said for as long as its job is kept. */
export const warnings: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('batch_jobs').addColumn('warnings', 'text').execute()
  },
}
