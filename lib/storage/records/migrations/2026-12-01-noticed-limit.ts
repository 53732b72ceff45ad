import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Adds the limit of which it was reported that most of it is spent: a higher one is reported again. */
export const noticedLimit: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('budget_counters').addColumn('noticed_limit', 'bigint').execute()
  },
}
