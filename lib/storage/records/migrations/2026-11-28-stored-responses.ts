import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

const responses = (db: Kysely<unknown>) =>
  db.schema
    .createTable('stored_responses')
    .addColumn('owner', 'text', column => column.notNull())
    .addColumn('id', 'text', column => column.notNull())
    .addColumn('previous_id', 'text')
    .addColumn('provider', 'text')
    .addColumn('created_at', 'bigint', column => column.notNull())
    .addColumn('expires_at', 'bigint', column => column.notNull())
    .addColumn('size', 'bigint', column => column.notNull())
    .addColumn('input', 'text', column => column.notNull())
    .addColumn('response', 'text', column => column.notNull())
    .addPrimaryKeyConstraint('stored_responses_key', ['owner', 'id'])

const items = (db: Kysely<unknown>) =>
  db.schema
    .createTable('stored_response_items')
    .addColumn('owner', 'text', column => column.notNull())
    .addColumn('item_id', 'text', column => column.notNull())
    .addColumn('response_id', 'text', column => column.notNull())
    .addPrimaryKeyConstraint('stored_response_items_key', ['owner', 'item_id'])

/** Answers that later requests can refer to, and where their items are. */
export const storedResponses: Migration = {
  async up(db: Kysely<unknown>) {
    await responses(db).execute()
    await items(db).execute()
    const index = (name: string, table: string, columns: string[]) =>
      db.schema.createIndex(name).on(table).columns(columns).execute()
    await index('stored_responses_by_id', 'stored_responses', ['id'])
    await index('stored_responses_of_owner', 'stored_responses', ['owner', 'created_at'])
    await index('stored_responses_expired', 'stored_responses', ['expires_at'])
    await index('stored_response_items_of', 'stored_response_items', ['owner', 'response_id'])
    await index('stored_response_items_by_id', 'stored_response_items', ['item_id'])
  },
}
