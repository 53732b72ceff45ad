import { sql, type Transaction } from 'kysely'
import type { Records } from '../storage/records/records.ts'
import type { RecordsSchema } from '../storage/records/schema.ts'
import type { Limit, Scope } from './types.ts'

/** Called in the transaction of a change, which fails where this rejects. */
export type BudgetRecorder = (transaction: Transaction<RecordsSchema>) => Promise<void>

export type StoredLimit = Readonly<{ limit: Limit; updatedAt: number }>

type Row = Readonly<{
  scope: string
  day_nano: number | null
  month_nano: number | null
}>

const limitOf = ({ scope, day_nano, month_nano }: Row): Limit => ({
  scope: scope as Scope,
  ...(day_nano !== null && { dayNanoUsd: day_nano }),
  ...(month_nano !== null && { monthNanoUsd: month_nano }),
})

/** The limits in the database, which is the one place where they are. */
export class LimitRecords {
  readonly #records: Records

  constructor(records: Records) {
    this.#records = records
  }

  /** Sets both limits of a scope; an absent one is removed. */
  async set({ scope, dayNanoUsd, monthNanoUsd }: Limit, now: number, record: BudgetRecorder): Promise<void> {
    const values = {
      day_nano: dayNanoUsd ?? null,
      month_nano: monthNanoUsd ?? null,
      updated_at: Math.round(now),
    }
    await this.#records.write(async db => {
      await db
        .insertInto('budgets')
        .values({ scope, ...values })
        .onConflict(conflict => conflict.column('scope').doUpdateSet(values))
        .execute()
      await record(db)
    })
  }

  async find(scope: Scope): Promise<Limit> {
    const row = await this.#records.read(db =>
      db.selectFrom('budgets').selectAll().where('scope', '=', scope).executeTakeFirst(),
    )
    return row ? limitOf(row) : { scope }
  }

  /** Limits that apply, in the order of their scopes, those of keys that are not revoked included. */
  list({
    most,
    after = '',
  }: Readonly<{ most: number; after?: string | undefined }>): Promise<readonly Limit[]> {
    return this.#records.read(async db => {
      const ofKeys = db
        .selectFrom('api_keys')
        .select(sql<string>`'key:' || id`.as('scope'))
        .select(['day_nano', 'month_nano'])
        .where('revoked_at', 'is', null)
      const rows = await db
        .selectFrom(
          db.selectFrom('budgets').select(['scope', 'day_nano', 'month_nano']).unionAll(ofKeys).as('budget'),
        )
        .selectAll()
        .where(where => where.or([where('day_nano', 'is not', null), where('month_nano', 'is not', null)]))
        .where('scope', '>', after)
        .orderBy('scope')
        .limit(most)
        .execute()
      return rows.map(limitOf)
    })
  }

  /** Limits that were set at a time or later, removed ones too. */
  async changedSince(time: number): Promise<readonly StoredLimit[]> {
    const rows = await this.#records.read(db =>
      db.selectFrom('budgets').selectAll().where('updated_at', '>=', Math.round(time)).execute(),
    )
    return rows.map(row => ({ limit: limitOf(row), updatedAt: row.updated_at }))
  }
}
