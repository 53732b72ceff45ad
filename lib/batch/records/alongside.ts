import type { Transaction } from 'kysely'
import type { RecordsSchema } from '../../storage/records/schema.ts'

/** Writes in a transaction of others: all of it is stored, or nothing. */
export type Alongside = (transaction: Transaction<RecordsSchema>) => Promise<unknown>
