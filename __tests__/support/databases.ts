import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { openRecords, type RecordsLocation } from '#lib/storage/records/open.ts'
import type { Records } from '#lib/storage/records/records.ts'
import { PostgresServer } from './postgres.ts'

/** Every database that must pass the contract of a kind of records. */
export const DATABASES = ['SQLite', 'Postgres'] as const
export type DatabaseKind = (typeof DATABASES)[number]

export type DatabasesOptions = Readonly<{
  /** When what was opened is closed; after each test when absent. */
  closed?: 'after each test' | 'after all tests'
}>

/** New, empty databases for the tests of a file. */
export const newDatabases = ({ closed = 'after each test' }: DatabasesOptions = {}) => {
  let server: PostgresServer
  const opened: Records[] = []
  const closeAll = async (): Promise<void> => {
    for (const records of opened.splice(0)) await records.close()
  }
  beforeAll(async () => {
    server = await PostgresServer.start()
  })
  if (closed === 'after each test') afterEach(closeAll)
  afterAll(async () => {
    await closeAll()
    await server.remove()
  })

  const locationOf = async (kind: DatabaseKind): Promise<RecordsLocation> =>
    kind === 'SQLite'
      ? { dataDir: mkdtempSync(join(tmpdir(), 'parley-records-')) }
      : { databaseUrl: await server.database(), dataDir: '' }

  const openAt = async (location: RecordsLocation): Promise<Records> => {
    const records = await openRecords(location, systemClock)
    opened.push(records)
    return records
  }

  return {
    locationOf,
    openAt,
    openNew: async (kind: DatabaseKind): Promise<Records> => openAt(await locationOf(kind)),
    closeAll,
  }
}
