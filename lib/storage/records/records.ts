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

/** Called at the end of each operation, with how long it took; `error` is absent on success. */
export type RecordsListener = (path: RecordsPath, tookMs: number, error?: unknown) => void
/** One statement of a batch. */
export type Step = Readonly<{
  query: CompiledQuery
  /** Rolls the batch back where it changes or returns no row. */
  mustMatch?: boolean
  /** Rolls the batch back where it changes another number of rows. */
  mustChange?: number
  /** In SQLite: its one parameter is the JSON text of rows, each a list of values, and it runs once for each. */
  forEachRow?: true
}>

type Results = readonly QueryResult<unknown>[] | undefined

const isUnmatched = ({ mustMatch, mustChange }: Step, { rows, numAffectedRows }: QueryResult<unknown>) =>
  (mustMatch && rows.length === 0 && !numAffectedRows) ||
  (mustChange !== undefined && Number(numAffectedRows) !== mustChange)

/** The operations of a database that has its own; without them `db` is used. */
export type RecordsDeps = Readonly<{
  /** Another connection to the same database, which sees committed data. */
  reading: Kysely<RecordsSchema>
  atomically: (steps: readonly Step[]) => Promise<Results>
  /** Called after `db` was closed. */
  close: () => Promise<void>
}>

const RETRY_FOR_MS = 5_000
/** Jitter, so that waiting processes do not retry at the same moment. */
const LEAST_PAUSE_MS = 5
const MOST_PAUSE_MS = 25
const NEVER = new AbortController().signal

const pauseMs = (): number => LEAST_PAUSE_MS + Math.random() * (MOST_PAUSE_MS - LEAST_PAUSE_MS)

/** Everything that must not be lost: one database, in an SQLite file or in Postgres. */
export class Records {
  readonly db: Kysely<RecordsSchema>
  readonly dialect: RecordsDialect
  readonly #clock: Clock
  #listener: RecordsListener = () => {}
  readonly #deps: RecordsDeps | undefined
  readonly #open = new Set<Promise<unknown>>()
  #closed: Promise<void> | undefined

  constructor(db: Kysely<RecordsSchema>, dialect: RecordsDialect, clock: Clock, deps?: RecordsDeps) {
    this.db = db
    this.dialect = dialect
    this.#clock = clock
    this.#deps = deps
  }

  /** Has the end of each operation reported from now on. */
  watch(listener: RecordsListener): void {
    this.#listener = listener
  }

  /**
   * Runs a function in one transaction. Waits for other writers, for five seconds at most.
   * @throws GatewayError STORE_UNAVAILABLE where the database fails.
   */
  write<T>(work: (transaction: Transaction<RecordsSchema>) => Promise<T>): Promise<T> {
    return this.#withRetry('write', () => this.db.transaction().execute(work))
  }

  /**
   * Writes as `write` does, where no statement depends on another's result: all are sent at once, so that the
   * transaction is as short as possible. The results are in the statements' order.
   *
   * @returns undefined where a statement that `mustMatch` or `mustChange` rows did not; then nothing has changed
   * @throws GatewayError STORE_UNAVAILABLE where the database fails.
   */
  writeTogether(statements: (db: Kysely<RecordsSchema>) => readonly (Compilable | Step)[]): Promise<Results> {
    const steps = statements(this.db).map(one => ('query' in one ? one : { query: one.compile() }))
    const atomically = this.#deps?.atomically ?? this.#oneByOne
    return this.#withRetry('write', () => atomically(steps))
  }

  /** Reads committed data. @throws GatewayError STORE_UNAVAILABLE where the database fails. */
  read<T>(work: (db: Kysely<RecordsSchema>) => Promise<T>): Promise<T> {
    return this.#withRetry('read', () => work(this.#deps?.reading ?? this.db))
  }

  /** Checks that the database answers. Rejects where it does not. */
  async ping(): Promise<void> {
    await this.read(db => sql`select 1`.execute(db))
  }

  /** Waits for pending operations, and closes the database. Later operations are refused. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    while (this.#open.size > 0) await Promise.allSettled(this.#open)
    await this.#deps?.reading.destroy()
    await this.db.destroy()
    await this.#deps?.close()
  }

  readonly #oneByOne = (steps: readonly Step[]): Promise<Results> =>
    this.db
      .transaction()
      .execute(async transaction => {
        const results: QueryResult<unknown>[] = []
        for (const step of steps) {
          const result = await transaction.executeQuery(step.query)
          if (isUnmatched(step, result)) throw new Unmatched()
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
    const startedAt = this.#clock.now()
    const done = this.#repeatedly(work)
    this.#open.add(done)
    try {
      const result = await done
      this.#listener(path, this.#clock.now() - startedAt)
      return result
    } catch (thrown) {
      const error = recordsError(thrown)
      this.#listener(path, this.#clock.now() - startedAt, error)
      throw error
    } finally {
      this.#open.delete(done)
    }
  }

  async #repeatedly<T>(work: () => Promise<T>): Promise<T> {
    for (const until = this.#clock.now() + RETRY_FOR_MS; ; ) {
      try {
        return await work()
      } catch (error) {
        const isOver = this.#closed !== undefined || this.#clock.now() > until
        if (!isPassing(error) || isOver) throw error
        await sleep(this.#clock, pauseMs(), NEVER)
      }
    }
  }
}

class Unmatched extends Error {}
