import type { Kysely, Transaction } from 'kysely'
import { sql } from 'kysely'
import { type Clock, sleep } from '../../clock.ts'
import { isPassing, recordsError } from './fault.ts'
import type { RecordsSchema } from './schema.ts'
import type { RecordsPath } from './watch.ts'

export type RecordsDialect = 'sqlite' | 'postgres'

/** Called at the end of each operation; `error` is absent where it went well. */
export type RecordsWatcher = (path: RecordsPath, error?: unknown) => void

const PATIENCE_MS = 5_000
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
  #watcher: RecordsWatcher = () => {}

  constructor(db: Kysely<RecordsSchema>, dialect: RecordsDialect, clock: Clock) {
    this.db = db
    this.dialect = dialect
    this.#clock = clock
  }

  /** Has the end of each operation reported from now on. */
  watch(watcher: RecordsWatcher): void {
    this.#watcher = watcher
  }

  /**
   * Does something in one transaction, or not at all. Waits for others who write, for five seconds at most.
   * @throws GatewayError STORE_UNAVAILABLE where the database fails.
   */
  write<T>(work: (transaction: Transaction<RecordsSchema>) => Promise<T>): Promise<T> {
    return this.#patiently('write', () => this.db.transaction().execute(work))
  }

  /** Reads. @throws GatewayError STORE_UNAVAILABLE where the database fails. */
  read<T>(work: (db: Kysely<RecordsSchema>) => Promise<T>): Promise<T> {
    return this.#patiently('read', () => work(this.db))
  }

  /** Whether it answers. Rejects where it does not. */
  async ping(): Promise<void> {
    await this.read(db => sql`select 1`.execute(db))
  }

  close(): Promise<void> {
    return this.db.destroy()
  }

  async #patiently<T>(path: RecordsPath, work: () => Promise<T>): Promise<T> {
    try {
      const result = await this.#repeatedly(work)
      this.#watcher(path)
      return result
    } catch (thrown) {
      const error = recordsError(thrown)
      this.#watcher(path, error)
      throw error
    }
  }

  async #repeatedly<T>(work: () => Promise<T>): Promise<T> {
    for (const giveUpAt = this.#clock.now() + PATIENCE_MS; ; ) {
      try {
        return await work()
      } catch (error) {
        if (!isPassing(error) || this.#clock.now() > giveUpAt) throw error
        await sleep(this.#clock, pauseMs(), NEVER)
      }
    }
  }
}
