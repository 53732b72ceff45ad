import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** What repetitions of requests, and of the beginnings of prompts, are recognised by. */
export const recommendations: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('ledger_requests').addColumn('question', 'text').execute()
    await db.schema.alterTable('ledger_attempts').addColumn('prefix', 'text').execute()
    await db.schema.alterTable('ledger_attempts').addColumn('prefix_tokens', 'bigint').execute()
    await db.schema
      .createIndex('ledger_attempts_with_prefix')
      .on('ledger_attempts')
      .columns(['at', 'id'])
      .where(sql.ref('prefix'), 'is not', null)
      .execute()
  },
}
