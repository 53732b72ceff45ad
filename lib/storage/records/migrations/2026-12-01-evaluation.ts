import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

const datasets = (db: Kysely<unknown>) =>
  db.schema
    .createTable('evaluation_datasets')
    .addColumn('id', 'text', column => column.primaryKey())
    .addColumn('owner', 'text', column => column.notNull())
    .addColumn('name', 'text', column => column.notNull())
    .addColumn('state', 'text', column => column.notNull())
    .addColumn('row_count', 'integer', column => column.notNull())
    .addColumn('bytes', 'bigint', column => column.notNull())
    .addColumn('created_at', 'bigint', column => column.notNull())
    .addColumn('expires_at', 'bigint')

const rows = (db: Kysely<unknown>) =>
  db.schema
    .createTable('evaluation_rows')
    .addColumn('dataset_id', 'text', column => column.notNull())
    .addColumn('place', 'integer', column => column.notNull())
    .addColumn('content', 'text', column => column.notNull())
    .addPrimaryKeyConstraint('evaluation_rows_pk', ['dataset_id', 'place'])

const runs = (db: Kysely<unknown>) =>
  db.schema
    .createTable('evaluations')
    .addColumn('id', 'text', column => column.primaryKey())
    .addColumn('owner', 'text', column => column.notNull())
    .addColumn('name', 'text', column => column.notNull())
    .addColumn('dataset_id', 'text', column => column.notNull())
    .addColumn('dataset_name', 'text', column => column.notNull())
    .addColumn('row_count', 'integer', column => column.notNull())
    .addColumn('job_id', 'text', column => column.notNull())
    .addColumn('plan', 'text', column => column.notNull())
    .addColumn('created_at', 'bigint', column => column.notNull())

const answers = (db: Kysely<unknown>) =>
  db.schema
    .createTable('evaluation_answers')
    .addColumn('evaluation_id', 'text', column => column.notNull())
    .addColumn('place', 'integer', column => column.notNull())
    .addColumn('answer', 'text', column => column.notNull())
    .addColumn('grading', 'text')
    .addPrimaryKeyConstraint('evaluation_answers_pk', ['evaluation_id', 'place'])

/** Data sets, their runs by batch jobs, and the graded answers of these. */
export const evaluation: Migration = {
  async up(db: Kysely<unknown>) {
    await datasets(db).execute()
    await rows(db).execute()
    await runs(db).execute()
    await answers(db).execute()
    for (const table of ['evaluation_datasets', 'evaluations'])
      await db.schema
        .createIndex(`${table}_of_owner`)
        .on(table)
        .columns(['owner', 'created_at', 'id'])
        .execute()
  },
}
