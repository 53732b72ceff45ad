import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

const jobs = (db: Kysely<unknown>) => {
  const counter = (table: Table, name: string) =>
    table.addColumn(name, 'bigint', column => column.notNull().defaultTo(0))
  type Table = ReturnType<typeof begun>
  const begun = () =>
    db.schema
      .createTable('batch_jobs')
      .addColumn('id', 'text', column => column.primaryKey())
      .addColumn('owner', 'text', column => column.notNull())
      .addColumn('name', 'text', column => column.notNull())
      .addColumn('priority', 'text', column => column.notNull())
      .addColumn('state', 'text', column => column.notNull())
      .addColumn('rank', 'bigint', column => column.notNull())
      .addColumn('created_at', 'bigint', column => column.notNull())
      .addColumn('scheduled_for', 'bigint')
      .addColumn('started_at', 'bigint')
      .addColumn('ended_at', 'bigint')
      .addColumn('webhook_url', 'text')
      .addColumn('webhook_state', 'text', column => column.notNull().defaultTo('none'))
      .addColumn('webhook_at', 'bigint')
  const counters = ['total', 'queued', 'running', 'succeeded', 'failed', 'cancelled']
  return [...counters, 'cost_pico', 'unpriced', 'webhook_attempts'].reduce(counter, begun())
}

const items = (db: Kysely<unknown>) =>
  db.schema
    .createTable('batch_items')
    .addColumn('job_id', 'text', column => column.notNull().references('batch_jobs.id'))
    .addColumn('place', 'integer', column => column.notNull())
    .addColumn('item_id', 'text', column => column.notNull())
    .addColumn('state', 'text', column => column.notNull())
    .addColumn('request', 'text', column => column.notNull())
    .addColumn('file', 'text')
    .addColumn('line', 'integer')
    .addColumn('attempts', 'integer', column => column.notNull().defaultTo(0))
    .addColumn('failures', 'integer', column => column.notNull().defaultTo(0))
    .addColumn('fence', 'integer', column => column.notNull().defaultTo(0))
    .addColumn('not_before', 'bigint', column => column.notNull().defaultTo(0))
    .addColumn('lease_until', 'bigint')
    .addColumn('started_at', 'bigint')
    .addColumn('ended_at', 'bigint')
    .addColumn('answer', 'text')
    .addColumn('fault', 'text')
    .addPrimaryKeyConstraint('batch_items_key', ['job_id', 'place'])

/** Jobs and their items. */
export const batch: Migration = {
  async up(db: Kysely<unknown>) {
    await jobs(db).execute()
    await items(db).execute()
    await db.schema
      .createIndex('batch_jobs_of_owner')
      .on('batch_jobs')
      .columns(['owner', 'created_at', 'id'])
      .execute()
    await db.schema.createIndex('batch_jobs_in_line').on('batch_jobs').columns(['state', 'rank']).execute()
    await db.schema
      .createIndex('batch_jobs_to_tell')
      .on('batch_jobs')
      .columns(['webhook_at'])
      .where(sql.ref('webhook_state'), '=', sql.lit('due'))
      .execute()
    await db.schema
      .createIndex('batch_items_in_line')
      .on('batch_items')
      .columns(['job_id', 'state', 'not_before', 'place'])
      .execute()
    await db.schema
      .createIndex('batch_items_leased')
      .on('batch_items')
      .columns(['lease_until'])
      .where(sql.ref('state'), '=', sql.lit('running'))
      .execute()
  },
}
