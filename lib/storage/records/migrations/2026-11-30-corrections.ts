import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** How often a budget's counter was corrected; the sums of a key; rows of the ledger need no record of their groups. */
export const corrections: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .alterTable('budget_counters')
      .addColumn('corrections', 'bigint', column => column.notNull().defaultTo(0))
      .execute()
    await db.schema
      .createIndex('ledger_rollups_of_key')
      .on('ledger_rollups')
      .columns(['key_id', 'span', 'start'])
      .execute()
    await db.schema.dropTable('ledger_groups').execute()
  },
}
