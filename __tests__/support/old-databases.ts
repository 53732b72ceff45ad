import { globSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Kysely, PostgresDialect } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import pg from 'pg'
import { systemClock } from '#lib/clock.ts'
import type { RecordsLocation } from '#lib/storage/records/open.ts'
import type { RecordsSchema } from '#lib/storage/records/schema.ts'
import { kyselyOver } from '#lib/storage/records/sqlite/driver.ts'
import { Mutex } from '#lib/storage/records/sqlite/mutex.ts'
import { RecordsThread } from '#lib/storage/records/sqlite/thread-handle.ts'

const DIRECTORY = join(import.meta.dirname, '../../lib/storage/records/migrations')

/** All migrations, by the names of their files, in order. */
export const MIGRATION_NAMES: readonly string[] = globSync('*.ts', { cwd: DIRECTORY })
  .map(file => basename(file, '.ts'))
  .toSorted()

const isMigration = (value: unknown): value is Migration =>
  typeof value === 'object' && value !== null && 'up' in value

const allMigrations = async (): Promise<Record<string, Migration>> => {
  const entries = MIGRATION_NAMES.map(async name => {
    const migration = Object.values(await import(join(DIRECTORY, `${name}.ts`))).find(isMigration)
    if (!migration) throw new Error(`${name} exports no migration`)
    return [name, migration] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

const connect = async ({ databaseUrl, dataDir }: RecordsLocation) => {
  if (databaseUrl !== undefined) {
    const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 })
    const db = new Kysely<RecordsSchema>({ dialect: new PostgresDialect({ pool }) })
    return { db, close: () => db.destroy() }
  }
  const thread = new RecordsThread({ path: join(dataDir, 'parley.db'), clock: systemClock })
  await thread.opened()
  return { db: kyselyOver(thread, 'write', new Mutex()), close: () => thread.close() }
}

/** Makes a database as a gateway left it whose last migration was `last`, and fills it. */
export const makeOldDatabase = async (
  location: RecordsLocation,
  last: string,
  fill: (db: Kysely<RecordsSchema>) => Promise<void>,
): Promise<void> => {
  const { db, close } = await connect(location)
  try {
    const migrations = await allMigrations()
    const { error } = await new Migrator({
      db,
      provider: { getMigrations: async () => migrations },
    }).migrateTo(last)
    if (error) throw error
    await fill(db)
  } finally {
    await close()
  }
}
