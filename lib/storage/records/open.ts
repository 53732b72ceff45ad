import { join } from 'node:path'
import type { Clock } from '../../clock.ts'
import { RecordsUnusable } from './fault.ts'
import type { Records } from './records.ts'

export type RecordsLocation = Readonly<{
  /** Postgres; a file in `dataDir` when absent. */
  databaseUrl?: string | undefined
  dataDir: string
  /** How long a Postgres that is not there yet is waited for, in milliseconds; 30 s when absent. */
  waitMs?: number
  /** Called once with a message, when the start waits for it. */
  onWait?: (text: string) => void
  /** Called when the database thread ends and has to be started again. */
  onLost?: (error: Error) => void
}>

const WAIT_MS = 30_000

/** The path of the SQLite file, which is used where no Postgres is configured. */
export const recordsFile = (dataDir: string): string => join(dataDir, 'parley.db')

/** Opens the configured database. @throws RecordsUnusable, whose message names its location. */
export const openRecords = async (location: RecordsLocation, clock: Clock): Promise<Records> => {
  const { databaseUrl, dataDir, onLost, waitMs = WAIT_MS, onWait = () => {} } = location
  const path = recordsFile(dataDir)
  try {
    if (databaseUrl !== undefined) {
      const { postgresRecords } = await import('./postgres.ts')
      return await postgresRecords(databaseUrl, clock, { waitMs, onWait })
    }
    const { sqliteRecords } = await import('./sqlite.ts')
    return await sqliteRecords(path, clock, { ...(onLost && { onLost }) })
  } catch (error) {
    if (!(error instanceof RecordsUnusable)) throw error
    throw new RecordsUnusable(`${databaseUrl ? 'DATABASE_URL' : path}: ${error.message}`)
  }
}
