import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

const limits = (db: Kysely<unknown>) =>
  db.schema
    .createTable('budgets')
    .addColumn('scope', 'text', column => column.primaryKey())
    .addColumn('day_nano', 'bigint')
    .addColumn('month_nano', 'bigint')
    .addColumn('updated_at', 'bigint', column => column.notNull())

const counters = (db: Kysely<unknown>) =>
  db.schema
    .createTable('budget_counters')
    .addColumn('scope', 'text', column => column.notNull())
    .addColumn('period', 'text', column => column.notNull())
    .addColumn('spent', 'bigint', column => column.notNull())
    .addColumn('reserved', 'bigint', column => column.notNull())
    .addColumn('corrections', 'bigint', column => column.notNull().defaultTo(0))
    .addColumn('noticed_at', 'bigint')
    .addPrimaryKeyConstraint('budget_counters_key', ['scope', 'period'])

const holds = (db: Kysely<unknown>) =>
  db.schema
    .createTable('budget_holds')
    .addColumn('id', 'text', column => column.primaryKey())
    .addColumn('process', 'text', column => column.notNull())
    .addColumn('state', 'text', column => column.notNull())
    .addColumn('expires_at', 'bigint', column => column.notNull())
    .addColumn('day', 'text', column => column.notNull())
    .addColumn('scopes', 'text', column => column.notNull())
    .addColumn('nano', 'bigint', column => column.notNull())

/** Budgets, what is spent and reserved of them, and the reservations of calls in progress. */
export const budgets: Migration = {
  async up(db: Kysely<unknown>) {
    await limits(db).execute()
    await counters(db).execute()
    await holds(db).execute()
    const index = (name: string, table: string, columns: string[]) =>
      db.schema.createIndex(name).on(table).columns(columns).execute()
    await index('budgets_changed', 'budgets', ['updated_at'])
    await index('budget_counters_by_period', 'budget_counters', ['period'])
    await index('budget_holds_expired', 'budget_holds', ['state', 'expires_at'])
  },
}
