import type { Clock } from '../../clock.ts'
import { migrate } from './migrate.ts'
import { Records } from './records.ts'
import { kyselyOver, queryResult } from './sqlite/driver.ts'
import { GroupCommit } from './sqlite/group-commit.ts'
import { Mutex } from './sqlite/mutex.ts'
import { RecordsThread, type ThreadOptions } from './sqlite/thread-handle.ts'

/** SQLite's own wait for another process's write would block all later statements; `Records` waits instead. */
const DO_NOT_WAIT = { sql: 'pragma busy_timeout = 0', parameters: [] }

const recordsOf = (thread: RecordsThread, clock: Clock): Records => {
  const writing = new Mutex()
  const commits = new GroupCommit(thread, writing)
  return new Records(kyselyOver(thread, 'write', writing), 'sqlite', clock, {
    reading: kyselyOver(thread, 'read'),
    atomically: async queries => {
      const statements = queries.map(({ query, mustMatch, mustChange, forEachRow }) => ({
        sql: query.sql,
        parameters: query.parameters,
        ...(forEachRow && { forEachRow }),
        ...(mustMatch && { mustMatch }),
        ...(mustChange !== undefined && { mustChange }),
      }))
      return (await commits.run(statements))?.map(queryResult)
    },
    close: () => thread.close(),
  })
}

/**
 * Opens the database in a file, which is created if missing. A file that cannot be used stays as it is.
 * All of SQLite runs on a thread of its own, so that no statement blocks the event loop.
 * @throws RecordsUnusable
 */
export const sqliteRecords = async (
  path: string,
  clock: Clock,
  options: Pick<ThreadOptions, 'onLost' | 'program'> = {},
): Promise<Records> => {
  const thread = new RecordsThread({ ...options, path, clock })
  try {
    await thread.opened()
    const records = recordsOf(thread, clock)
    await migrate(records.db, 'sqlite')
    for (const connection of ['read', 'write'] as const)
      await thread.ask({ connection, statements: [DO_NOT_WAIT] })
    thread.expectReplies()
    return records
  } catch (error) {
    await thread.close()
    throw error
  }
}
