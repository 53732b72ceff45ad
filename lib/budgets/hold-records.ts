import type { Records, Step } from '../storage/records/records.ts'
import { holdStatements } from './hold-sql.ts'
import { limitIn, monthOf } from './period.ts'
import type { Counter, Hold, Limit, Scope } from './types.ts'

type CounterKey = Readonly<{ scope: Scope; period: string }>

export type NewHold = Readonly<{
  id: string
  process: string
  limits: readonly Limit[]
  nanoUsd: number
  /** The UTC day to whose budgets it belongs. */
  day: string
  /** Clock time, milliseconds. */
  expiresAt: number
}>

/** What became of a settlement. `late`: the reservation had been taken back. `none`: it was settled before. */
export type Settlement = Readonly<{ result: 'settled' | 'late' | 'none'; counters: readonly Counter[] }>

/** A counter, and how often it was corrected. */
export type ComparedCounter = Counter & Readonly<{ corrections: number }>

const COUNTER = ['scope', 'period', 'spent', 'reserved'] as const
const MOST_AT_ONCE = 100
const MOST_IDS = 500
/** SQLite writes many transactions in one commit. In Postgres, the rest of the connections are for others. */
const MOST_WRITES = { sqlite: 32, postgres: 3 } as const

/** In the order in which they are locked, which is the same for every transaction. */
const keysOf = (scopes: readonly Scope[], day: string): readonly CounterKey[] =>
  scopes.flatMap(scope => [day, monthOf(day)].map(period => ({ scope, period })))

const countersIn = ({ rows }: { rows: readonly unknown[] }): readonly Counter[] => rows as readonly Counter[]

/** The reservations and the counters of all budgets. Every change of the two is one transaction. */
export class HoldRecords {
  readonly #records: Records
  readonly #statement: ReturnType<typeof holdStatements>
  /** How many transactions at a time are worth it. */
  readonly mostAtOnce: number

  constructor(records: Records) {
    this.#records = records
    this.#statement = holdStatements(records.dialect)
    this.mostAtOnce = MOST_WRITES[records.dialect]
  }

  /**
   * Reserves an amount in all scopes and their periods, or in none.
   * @returns undefined where one of them has not enough left
   */
  async reserve(hold: NewHold): Promise<Readonly<{ hold: Hold; counters: readonly Counter[] }> | undefined> {
    const { id, process, limits, nanoUsd, day, expiresAt } = hold
    const periods = [day, monthOf(day)]
    // The first reservation of a period finds no counter to compare with.
    if (limits.some(limit => periods.some(period => nanoUsd > limitIn(limit, period)))) return undefined
    const scopes = JSON.stringify(limits.map(({ scope }) => scope))
    const insertion = this.#statement('hold', id, process, Math.round(expiresAt), day, scopes, nanoUsd)
    const results = await this.#records.writeTogether(() => [
      { query: insertion },
      ...limits.flatMap(limit => periods.map(period => this.#reservation(limit, period, nanoUsd))),
    ])
    return results && { hold: { id, day, limits, nanoUsd }, counters: results.slice(1).flatMap(countersIn) }
  }

  /** Books what a reservation has cost, and returns its amount: once, however often it is called. */
  async settle({ id, day, limits, nanoUsd }: Hold, spentNanoUsd: number): Promise<Settlement> {
    const keys = keysOf(
      limits.map(({ scope }) => scope),
      day,
    )
    const inState = (state: 'held' | 'expired', released: number) =>
      this.#records.writeTogether(() => [
        { query: this.#statement('remove', id, state), mustMatch: true },
        ...keys.map(key => this.#settlement(key, spentNanoUsd, released)),
      ])
    const held = await inState('held', nanoUsd)
    if (held) return { result: 'settled', counters: held.slice(1).flatMap(countersIn) }
    const late = await inState('expired', 0)
    if (late) return { result: 'late', counters: late.slice(1).flatMap(countersIn) }
    return { result: 'none', counters: [] }
  }

  /** Prolongs reservations of calls in progress. */
  async renew(ids: readonly string[], expiresAt: number): Promise<void> {
    for (let at = 0; at < ids.length; at += MOST_IDS)
      await this.#records.writeTogether(db => [
        db
          .updateTable('budget_holds')
          .set({ expires_at: Math.round(expiresAt) })
          .where('id', 'in', ids.slice(at, at + MOST_IDS))
          .where('state', '=', 'held'),
      ])
  }

  /** Takes back all reservations that their process has not renewed in time. @returns how many */
  async takeBack(now: number): Promise<number> {
    const time = Math.round(now)
    for (let taken = 0; ; ) {
      const expired = await this.#expired(time)
      for (const { id, scopes, day, nano } of expired) {
        const done = await this.#records.writeTogether(() => [
          { query: this.#statement('expire', id, time), mustMatch: true },
          ...keysOf(JSON.parse(scopes), day).map(key => this.#settlement(key, 0, nano)),
        ])
        if (done) taken += 1
      }
      if (expired.length < MOST_AT_ONCE) return taken
    }
  }

  /** Removes what no call can refer to any more. @param month the first month whose counters are kept */
  async removeOld(expiredBefore: number, month: string): Promise<void> {
    await this.#records.writeTogether(db => [
      db
        .deleteFrom('budget_holds')
        .where('state', '=', 'expired')
        .where('expires_at', '<', Math.round(expiredBefore)),
      db.deleteFrom('budget_counters').where('period', '<', month),
    ])
  }

  /** The counters of scopes on a day and in its month; those that do not exist yet are zero. */
  async counters(scopes: readonly Scope[], day: string): Promise<readonly Counter[]> {
    const rows = await this.#existing(scopes, day)
    return keysOf(scopes, day).map(key => {
      const row = rows.find(({ scope, period }) => scope === key.scope && period === key.period)
      return { ...key, spent: row?.spent ?? 0, reserved: row?.reserved ?? 0 }
    })
  }

  /** The periods of a day in which a scope has no counter yet. */
  async missing(scope: Scope, day: string): Promise<readonly string[]> {
    const existing = await this.#existing([scope], day)
    return [day, monthOf(day)].filter(period => !existing.some(counter => counter.period === period))
  }

  /** All counters of a day and its month. */
  async countersOf(day: string): Promise<readonly ComparedCounter[]> {
    const rows = await this.#records.read(db =>
      db
        .selectFrom('budget_counters')
        .select([...COUNTER, 'corrections'])
        .where('period', 'in', [day, monthOf(day)])
        .execute(),
    )
    return rows as readonly ComparedCounter[]
  }

  /** The sum of all reservations, in whole nanodollars. */
  async held(): Promise<number> {
    const sum = await this.#records.read(db =>
      db
        .selectFrom('budget_holds')
        .select(({ fn }) => fn.sum<number | string | null>('nano').as('nano'))
        .where('state', '=', 'held')
        .executeTakeFirst(),
    )
    return Number(sum?.nano ?? 0)
  }

  /** Marks that most of a limit is spent. @returns whether no such limit was marked before, by any process */
  async markNoticed({ scope, period }: CounterKey, limitNanoUsd: number, now: number): Promise<boolean> {
    return this.#matches(
      this.#statement('notice', Math.round(now), limitNanoUsd, scope, period, limitNanoUsd),
    )
  }

  /** Adds to what is spent, unless another process has corrected the counter since it was read. */
  async raise({ scope, period, corrections }: ComparedCounter, nanoUsd: number): Promise<boolean> {
    return this.#matches(this.#statement('raise', nanoUsd, scope, period, corrections))
  }

  /**
   * Begins counters with what is spent already.
   * @param kind `createOrRaise`: one that exists with less spent is raised to it
   */
  async begin(
    counters: readonly Pick<Counter, 'scope' | 'period' | 'spent'>[],
    kind: 'create' | 'createOrRaise',
  ): Promise<void> {
    await this.#records.writeTogether(() =>
      counters.map(({ scope, period, spent }) => ({ query: this.#statement(kind, scope, period, spent) })),
    )
  }

  #reservation(limit: Limit, period: string, nanoUsd: number): Step {
    const most = limitIn(limit, period)
    const query =
      most === Number.POSITIVE_INFINITY
        ? this.#statement('reserve', limit.scope, period, nanoUsd)
        : this.#statement('reserveWithin', limit.scope, period, nanoUsd, most - nanoUsd)
    return { query, mustMatch: true }
  }

  #settlement({ scope, period }: CounterKey, spent: number, released: number): Step {
    return { query: this.#statement('settle', spent, released, scope, period) }
  }

  #expired(time: number) {
    return this.#records.read(db =>
      db
        .selectFrom('budget_holds')
        .selectAll()
        .where('state', '=', 'held')
        .where('expires_at', '<', time)
        .limit(MOST_AT_ONCE)
        .execute(),
    )
  }

  async #existing(scopes: readonly Scope[], day: string): Promise<readonly Counter[]> {
    const rows = await this.#records.read(db =>
      db
        .selectFrom('budget_counters')
        .select(COUNTER)
        .where('scope', 'in', scopes)
        .where('period', 'in', [day, monthOf(day)])
        .execute(),
    )
    return rows as readonly Counter[]
  }

  async #matches(query: Step['query']): Promise<boolean> {
    return (await this.#records.writeTogether(() => [{ query, mustMatch: true }])) !== undefined
  }
}
