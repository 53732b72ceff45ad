import type { Kysely, SelectQueryBuilder } from 'kysely'
import type { Records } from '../../storage/records/records.ts'
import type { RecordsSchema } from '../../storage/records/schema.ts'

type Dialect = Records['dialect']
type Places = SelectQueryBuilder<RecordsSchema, 'batch_items', { place: number }>

/**
 * Items of one job, as Postgres locks them: in the order of their places. For no two transactions to deadlock, each
 * locks items before jobs, and jobs in the order of their ids; one that has locked a job waits for no item. In SQLite,
 * which has one writer at a time, nothing is locked.
 *
 * @param held what happens with items that another transaction has locked
 */
export const inLockOrder = (dialect: Dialect, items: Places, held: 'waits' | 'skips' = 'waits'): Places => {
  const ordered = items.orderBy('place')
  if (dialect === 'sqlite') return ordered
  return held === 'skips' ? ordered.forUpdate().skipLocked() : ordered.forUpdate()
}

/** Locks items of one job, before the transaction locks the job. */
export const lockItems = async (
  db: Kysely<RecordsSchema>,
  dialect: Dialect,
  items: (db: Pick<Kysely<RecordsSchema>, 'selectFrom'>) => Places,
): Promise<void> => {
  if (dialect === 'sqlite') return
  await db
    .with('locked', transaction => inLockOrder(dialect, items(transaction)))
    .selectFrom('locked')
    .select(({ fn }) => fn.countAll().as('count'))
    .execute()
}
