import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { LRUCache } from 'lru-cache'
import { systemClock, type Timer } from '../../../clock.ts'
import { atOnce } from '../../../loop-turns.ts'
import { openFile, reopenFile, type SqliteFile } from './file.ts'
import { hasLongText, pack, unpack } from './long-texts.ts'
import {
  type FromThread,
  type GroupResult,
  type GroupsRequest,
  type Statement,
  type StatementResult,
  sentError,
  type ThreadData,
  type ThreadReply,
  type ThreadRequest,
  type ToThread,
} from './messages.ts'

/**
 * A transaction without a statement for this long is rolled back: its lock blocks every other process on the file.
 */
const IDLE_TRANSACTION_MS = 2_000
const SQLITE_BUSY = 5

/** Like a failure to get the lock: the whole transaction is retried. */
const idleTooLong = (): Error =>
  Object.assign(new Error('The transaction was idle for too long and has been rolled back.'), {
    errcode: SQLITE_BUSY,
    errstr: 'database is locked',
  })

/** Cached prepared statements; few, since those that insert many rows are large. */
const MOST_STATEMENTS = 64

type Prepared = Readonly<{ statement: StatementSync; returnsRows: boolean }>

const preparing = (database: DatabaseSync): ((sql: string) => Prepared) => {
  const kept = new LRUCache<string, Prepared>({
    max: MOST_STATEMENTS,
    memoMethod: sql => {
      const statement = database.prepare(sql)
      return { statement, returnsRows: statement.columns().length > 0 }
    },
  })
  return sql => kept.memo(sql)
}

/** Runs requests on a connection, one at a time. @param assertReady called outside of transactions */
const running = (
  database: DatabaseSync,
  assertReady = () => {},
): ((request: ThreadRequest) => ThreadReply) => {
  const prepared = preparing(database)

  /** Binding the values of a row takes half the time of reading them from JSON in SQL. */
  const runForEach = (statement: StatementSync, rows: string): StatementResult => {
    let changes = 0
    for (const values of JSON.parse(rows) as SQLInputValue[][])
      changes += Number(statement.run(...values).changes)
    return { rows: [], changes }
  }
  const run = ({ sql, parameters, forEachRow }: Statement): StatementResult => {
    // After a disk error SQLite has already rolled the transaction back.
    if (sql === 'rollback' && !database.isTransaction) return { rows: [] }
    const { statement, returnsRows } = prepared(sql)
    if (forEachRow) return runForEach(statement, String(parameters[0]))
    const values = parameters as SQLInputValue[]
    if (returnsRows) return { rows: statement.all(...values) as StatementResult['rows'] }
    return { rows: [], changes: Number(statement.run(...values).changes) }
  }
  const command = (sql: string) => run({ sql, parameters: [] })
  const isUnmatched = ({ mustMatch, mustChange }: Statement, { rows, changes = 0 }: StatementResult) =>
    (mustMatch === true && rows.length === 0 && changes === 0) ||
    (mustChange !== undefined && changes !== mustChange)

  const undoGroup = () => {
    command('rollback to one_group')
    command('release one_group')
  }
  /** @throws where SQLite has rolled the whole transaction back, as it does when the disk is full */
  const group = (statements: readonly Statement[]): GroupResult => {
    command('savepoint one_group')
    const results: StatementResult[] = []
    try {
      for (const statement of statements) {
        const result = run(statement)
        if (isUnmatched(statement, result)) {
          undoGroup()
          return { unmatched: true }
        }
        results.push(result)
      }
      command('release one_group')
      return { results }
    } catch (error) {
      if (!database.isTransaction) throw error
      undoGroup()
      return { error: sentError(error) }
    }
  }
  const together = ({ groups }: GroupsRequest): ThreadReply => {
    try {
      command('begin immediate')
      const results = groups.map(group)
      command('commit')
      return { groups: results }
    } catch (error) {
      if (database.isTransaction) command('rollback')
      throw error
    }
  }

  let isRolledBack = false
  const rollBackIdle = () => {
    command('rollback')
    isRolledBack = true
  }
  /** Reports a rollback to the next statement of the transaction. */
  const assertNotRolledBack = ([first]: readonly Statement[]) => {
    if (!isRolledBack) return
    isRolledBack = false
    if (first && !/^(?:begin|rollback)/.test(first.sql)) throw idleTooLong()
  }

  let idle: Timer | undefined
  return request => {
    idle?.cancel()
    try {
      if ('statements' in request) assertNotRolledBack(request.statements)
      if (!database.isTransaction) assertReady()
      return 'groups' in request ? together(request) : { results: request.statements.map(run) }
    } catch (error) {
      return { error: sentError(error) }
    } finally {
      if (database.isTransaction) idle = systemClock.timer(IDLE_TRANSACTION_MS, rollBackIdle)
    }
  }
}

const send = (message: FromThread, moved: readonly ArrayBuffer[] = []): void =>
  parentPort?.postMessage(message, moved)

const reply = (id: number, outcome: ThreadReply): void => {
  if (!hasLongText(outcome)) send({ type: 'reply', reply: { ...outcome, id } })
  else {
    const { packed, buffers } = atOnce(pack(outcome))
    send({ type: 'reply', reply: { ...packed, id, isPacked: true } }, buffers)
  }
}

const serve = (file: SqliteFile): void => {
  const connections = { read: running(file.read), write: running(file.write, file.assertAtPath) }
  parentPort?.on('message', (message: ToThread) => {
    if ('type' in message) {
      file.read.close()
      file.write.close()
      parentPort?.close()
      return
    }
    const { id, connection } = message
    const request: ThreadRequest = message.isPacked ? atOnce(unpack(message)) : message
    reply(id, connections[connection](request))
  })
  send({ type: 'open' })
}

const opened = ({ path, reopens }: ThreadData): SqliteFile | undefined => {
  try {
    return reopens ? reopenFile(path) : openFile(path)
  } catch (error) {
    send({ type: 'unusable', error: sentError(error) })
    return undefined
  }
}

const file = opened(workerData as ThreadData)
if (file) serve(file)
