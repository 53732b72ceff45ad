import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { openRecords, type RecordsLocation } from '#lib/storage/records/open.ts'
import type { Records } from '#lib/storage/records/records.ts'
import { type Emptying, emptyingOf, type LentRecords, lend } from './lent-records.ts'
import { PostgresServer } from './postgres.ts'

/** Every database that must pass the contract of a kind of records. */
export const DATABASES = ['SQLite', 'Postgres'] as const
export type DatabaseKind = (typeof DATABASES)[number]

export type DatabasesOptions = Readonly<{
  /** When what was opened is closed; after each test when absent. */
  closed?: 'after each test' | 'after all tests'
}>

/** A database that one test after another uses, emptied in between. */
type Shared = Readonly<{ location: RecordsLocation; records: Records; empty: Emptying }>

/**
 * Empty databases for the tests of a file. One database of each kind serves all of them in turn: to empty it takes a
 * tenth of the time that it takes to make one.
 */
export const newDatabases = ({ closed = 'after each test' }: DatabasesOptions = {}) => {
  let server: PostgresServer
  const shared = new Map<DatabaseKind, Shared>()
  /** The shared ones of the present test, until it opens them. */
  const ready = new Map<RecordsLocation, LentRecords>()
  const inUse = new Set<Shared>()
  const closing: (() => Promise<void>)[] = []

  const closeAll = async (): Promise<void> => {
    for (const close of closing.splice(0)) await close()
    ready.clear()
    inUse.clear()
  }
  beforeAll(async () => {
    server = await PostgresServer.start()
  })
  if (closed === 'after each test') afterEach(closeAll)
  afterAll(async () => {
    await closeAll()
    for (const { records } of shared.values()) await records.close()
    await server.remove()
  })

  const newLocation = async (kind: DatabaseKind): Promise<RecordsLocation> =>
    kind === 'SQLite'
      ? { dataDir: mkdtempSync(join(tmpdir(), 'parley-records-')) }
      : { databaseUrl: await server.database(), dataDir: '' }

  const newShared = async (kind: DatabaseKind): Promise<Shared> => {
    const location = await newLocation(kind)
    const records = await openRecords(location, systemClock)
    const made = { location, records, empty: await emptyingOf(records) }
    shared.set(kind, made)
    return made
  }

  /** An empty database, another for each call within a test. */
  const locationOf = async (kind: DatabaseKind): Promise<RecordsLocation> => {
    const known = shared.get(kind)
    if (known && inUse.has(known)) return newLocation(kind)
    await known?.empty()
    const one = known ?? (await newShared(kind))
    inUse.add(one)
    const lent = lend(one.records)
    ready.set(one.location, lent)
    closing.push(lent.takeBack)
    return one.location
  }

  /** Opens it; a second time as another process would. */
  const openAt = async (location: RecordsLocation): Promise<Records> => {
    const lent = ready.get(location)
    if (lent) {
      ready.delete(location)
      return lent.records
    }
    const records = await openRecords(location, systemClock)
    closing.push(() => records.close())
    return records
  }

  return {
    /** A database without any tables. */
    newLocation,
    openAt,
    locationOf,
    openNew: async (kind: DatabaseKind) => openAt(await locationOf(kind)),
  }
}
