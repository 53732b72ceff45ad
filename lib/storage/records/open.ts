import { join } from 'node:path'
import type { Clock } from '../../clock.ts'
import { RecordsUnusable } from './fault.ts'
import type { Records } from './records.ts'

export type RecordsPlace = Readonly<{
  /** Postgres; a file in `dataDir` when absent. */
  databaseUrl?: string | undefined
  dataDir: string
  /** Called when the database is lost, for as long as it takes to open it again. */
  onLost?: (error: Error) => void
}>

const FILE = 'parley.db'

/** The records where the environment says they are. @throws RecordsUnusable, whose message names the place. */
export const openRecords = async (
  { databaseUrl, dataDir, onLost }: RecordsPlace,
  clock: Clock,
): Promise<Records> => {
  const path = join(dataDir, FILE)
  try {
    if (databaseUrl !== undefined) {
      const { postgresRecords } = await import('./postgres.ts')
      return await postgresRecords(databaseUrl, clock)
    }
    const { sqliteRecords } = await import('./sqlite.ts')
    return await sqliteRecords(path, clock, { ...(onLost && { onLost }) })
  } catch (error) {
    if (!(error instanceof RecordsUnusable)) throw error
    throw new RecordsUnusable(`${databaseUrl ? 'DATABASE_URL' : path}: ${error.message}`)
  }
}
