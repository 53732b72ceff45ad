import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import type { RecordsSchema } from '../schema.ts'
import type { StatementResult } from './messages.ts'
import type { Mutex } from './mutex.ts'
import type { RecordsThread } from './thread-handle.ts'

/** Every transaction writes: one that acquires the lock only later might fail and have to be repeated. */
const BEGIN = { sql: 'begin immediate', parameters: [] }

/** A result in Kysely's form. */
export const queryResult = <Row>({ rows, changes }: StatementResult): QueryResult<Row> => ({
  rows: rows as unknown as Row[],
  ...(changes !== undefined && { numAffectedRows: BigInt(changes) }),
})

/** A connection of the thread's, for as long as it is held. */
class ThreadConnection implements DatabaseConnection {
  readonly #thread: RecordsThread
  readonly #name: 'read' | 'write'
  readonly #run: object
  /** A transaction begins together with its first statement, which saves a message. */
  #begins = false

  constructor(thread: RecordsThread, name: 'read' | 'write') {
    this.#thread = thread
    this.#name = name
    this.#run = thread.run
  }

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    const statements = [...(this.#begins ? [BEGIN] : []), { sql, parameters }]
    this.#begins = false
    const results = await this.#thread.ask({ connection: this.#name, statements }, this.#run)
    return queryResult(results.at(-1) ?? { rows: [] })
  }

  begin(): void {
    this.#begins = true
  }

  async commit(): Promise<void> {
    await this.#end('commit')
  }

  async rollback(): Promise<void> {
    // The transaction of a lost thread is rolled back.
    if (this.#run === this.#thread.run) await this.#end('rollback')
  }

  async *streamQuery(): AsyncIterableIterator<never> {
    yield await Promise.reject(new Error('the records stream no rows: read them in pages'))
  }

  async #end(sql: 'commit' | 'rollback'): Promise<void> {
    const isEmpty = this.#begins
    this.#begins = false
    if (isEmpty) return
    const request = { connection: this.#name, statements: [{ sql, parameters: [] }] }
    await this.#thread.ask(request, this.#run)
  }
}

/** Held by one writer at a time, so that no other statement runs within a transaction. */
class ThreadDriver implements Driver {
  readonly #thread: RecordsThread
  readonly #name: 'read' | 'write'
  readonly #mutex: Mutex | undefined

  constructor(thread: RecordsThread, name: 'read' | 'write', mutex?: Mutex) {
    this.#thread = thread
    this.#name = name
    this.#mutex = mutex
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    await this.#mutex?.lock()
    try {
      return new ThreadConnection(this.#thread, this.#name)
    } catch (error) {
      this.#mutex?.unlock()
      throw error
    }
  }

  async beginTransaction(connection: ThreadConnection): Promise<void> {
    connection.begin()
  }

  commitTransaction(connection: ThreadConnection): Promise<void> {
    return connection.commit()
  }

  rollbackTransaction(connection: ThreadConnection): Promise<void> {
    return connection.rollback()
  }

  async releaseConnection(): Promise<void> {
    this.#mutex?.unlock()
  }

  async destroy(): Promise<void> {}
}

/**
 * SQLite supports transactional schema changes, which Kysely's own adapter does not declare. The driver does the
 * locking.
 */
class Adapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }

  override get supportsMultipleConnections(): boolean {
    return true
  }
}

/** Kysely over one of the thread's connections. */
export const kyselyOver = (
  thread: RecordsThread,
  name: 'read' | 'write',
  mutex?: Mutex,
): Kysely<RecordsSchema> => {
  const dialect: Dialect = {
    createAdapter: () => new Adapter(),
    createDriver: () => new ThreadDriver(thread, name, mutex),
    createIntrospector: db => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
  return new Kysely({ dialect })
}
