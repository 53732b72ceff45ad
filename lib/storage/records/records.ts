import {
  type Compilable,
  type CompiledQuery,
  type Kysely,
  type QueryResult,
  sql,
  type Transaction,
} from 'kysely'
import { type Clock, sleep } from '../../clock.ts'
import { GatewayError } from '../../errors.ts'
import { isPassing, recordsError } from './fault.ts'
import type { RecordsPath } from './monitor.ts'
import type { RecordsSchema } from './schema.ts'

export type RecordsDialect = 'sqlite' | 'postgres'

/** Called at the end of each operation; `error` is absent where it went well. */
export type RecordsListener = (path: RecordsPath, error?: unknown) => void
/** A statement of several that are done together. */
export type Step = Readonly<{
  query: CompiledQuery
  /** Takes all of them back where it changes or returns no row. */
  mustMatch?: boolean
}>

type Results = readonly QueryResult<unknown>[] | undefined

/** What a database does in a way of its own; what is absent is done through `db`. */
export type RecordsDeps = Readonly<{
  /** Another connection to the same database, which sees what is committed. */
  reading?: Kysely<RecordsSchema>
  atomically?: (steps: readonly Step[]) => Promise<Results>
  /** Called after `db` was closed. */
  close?: () => Promise<void>
}>

const RETRY_FOR_MS = 5_000
/** Not all who wait try again at the same moment. */
const LEAST_PAUSE_MS = 5
const MOST_PAUSE_MS = 25
const NEVER = new AbortController().signal

const pauseMs = (): number => LEAST_PAUSE_MS + Math.random() * (MOST_PAUSE_MS - LEAST_PAUSE_MS)

/** Everything that must not be lost: one database, in a file of SQLite's or in Postgres. */
export class Records {
  readonly db: Kysely<RecordsSchema>
  readonly dialect: RecordsDialect
  readonly #clock: Clock
  #listener: RecordsListener = () => {}
  readonly #deps: RecordsDeps
  readonly #open = new Set<Promise<unknown>>()
  #closed: Promise<void> | undefined

  constructor(db: Kysely<RecordsSchema>, dialect: RecordsDialect, clock: Clock, parts: RecordsDeps = {}) {
    this.db = db
    this.dialect = dialect
    this.#clock = clock
    this.#deps = parts
  }

  /** Has the end of each operation reported from now on. */
  watch(listener: RecordsListener): void {
    this.#listener = listener
  }

  /**
   * Does something in one transaction, or not at all. Waits for others who write, for five seconds at most.
   * @throws GatewayError STORE_UNAVAILABLE where the database fails.
   */
  write<T>(work: (transaction: Transaction<RecordsSchema>) => Promise<T>): Promise<T> {
    return this.#withRetry('write', () => this.db.transaction().execute(work))
  }

  /**
   * Writes as `write` does, where no statement depends on what another one finds: all are sent at once, so that the
   * transaction is as short as can be. The results are in the statements' order.
   *
   * @returns nothing where a statement that `mustMatch` a row matched none; then all is as it was
   * @throws GatewayError STORE_UNAVAILABLE where the database fails.
   */
  writeTogether(statements: (db: Kysely<RecordsSchema>) => readonly (Compilable | Step)[]): Promise<Results> {
    const steps = statements(this.db).map(one => ('query' in one ? one : { query: one.compile() }))
    const { atomically = this.#oneByOne } = this.#deps
    return this.#withRetry('write', () => atomically(steps))
  }

  /** Reads what is committed. @throws GatewayError STORE_UNAVAILABLE where the database fails. */
  read<T>(work: (db: Kysely<RecordsSchema>) => Promise<T>): Promise<T> {
    return this.#withRetry('read', () => work(this.#deps.reading ?? this.db))
  }

  /** Whether it answers. Rejects where it does not. */
  async ping(): Promise<void> {
    await this.read(db => sql`select 1`.execute(db))
  }

  /** Lets what has begun come to its end, and closes the database. Whatever is asked from now on is refused. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    while (this.#open.size > 0) await Promise.allSettled(this.#open)
    await this.#deps.reading?.destroy()
    await this.db.destroy()
    await this.#deps.close?.()
  }

  readonly #oneByOne = (steps: readonly Step[]): Promise<Results> =>
    this.db
      .transaction()
      .execute(async transaction => {
        const results: QueryResult<unknown>[] = []
        for (const { query, mustMatch } of steps) {
          const result = await transaction.executeQuery(query)
          if (mustMatch && result.rows.length === 0 && !result.numAffectedRows) throw new Unmatched()
          results.push(result)
        }
        return results
      })
      .catch(error => {
        if (error instanceof Unmatched) return undefined
        throw error
      })

  async #withRetry<T>(path: RecordsPath, work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new GatewayError('STORE_UNAVAILABLE', undefined, { cause: new Error('closed') })
    const done = this.#repeatedly(work)
    this.#open.add(done)
    try {
      const result = await done
      this.#listener(path)
      return result
    } catch (thrown) {
      const error = recordsError(thrown)
      this.#listener(path, error)
      throw error
    } finally {
      this.#open.delete(done)
    }
  }

  async #repeatedly<T>(work: () => Promise<T>): Promise<T> {
    for (const giveUpAt = this.#clock.now() + RETRY_FOR_MS; ; ) {
      try {
        return await work()
      } catch (error) {
        const givesUp = this.#closed !== undefined || this.#clock.now() > giveUpAt
        if (!isPassing(error) || givesUp) throw error
        await sleep(this.#clock, pauseMs(), NEVER)
      }
    }
  }
}

class Unmatched extends Error {}
