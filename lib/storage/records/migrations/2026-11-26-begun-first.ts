import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** An index that finds started items among all waiting ones. */
export const begunFirst: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createIndex('batch_items_begun')
      .on('batch_items')
      .columns(['job_id', 'not_before', 'place'])
      .where(sql.ref('ended_at'), 'is', sql.lit(null))
      .where(sql.ref('attempts'), '>', sql.lit(0))
      .execute()
  },
}
