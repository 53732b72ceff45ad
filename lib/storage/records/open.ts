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
  /** Called once, when it is waited for, with a sentence that says so. */
  onWait?: (text: string) => void
  /** Called when the database is lost, for as long as it takes to open it again. */
  onLost?: (error: Error) => void
}>

const FILE = 'parley.db'
const WAIT_MS = 30_000

/** The records where the environment says they are. @throws RecordsUnusable, whose message names the place. */
export const openRecords = async (location: RecordsLocation, clock: Clock): Promise<Records> => {
  const { databaseUrl, dataDir, onLost, waitMs = WAIT_MS, onWait = () => {} } = location
  const path = join(dataDir, FILE)
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
