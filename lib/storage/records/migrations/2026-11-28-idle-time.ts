import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** How long a job had ended before it was retried, which its estimate of the remaining time leaves out. */
export const idleTime: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .alterTable('batch_jobs')
      .addColumn('idle_ms', 'bigint', column => column.notNull().defaultTo(0))
      .execute()
  },
}
