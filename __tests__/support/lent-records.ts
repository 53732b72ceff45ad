import { sql } from 'kysely'
import { GatewayError } from '#lib/errors.ts'
import type { Records, RecordsDialect } from '#lib/storage/records/records.ts'

/** A connection for one test: closing it leaves the database open for the next one. */
export type LentRecords = Readonly<{ records: Records; takeBack: () => Promise<void> }>

const closedError = () => new GatewayError('STORE_UNAVAILABLE', undefined, { cause: new Error('closed') })

/**
 * Lends an open database to one test. As with `close`, what is under way ends before it is taken back, and whatever is
 * left of the test is refused afterwards: it does not reach the next one.
 */
export const lend = (open: Records): LentRecords => {
  const pending = new Set<Promise<unknown>>()
  let isClosed = false
  const takeBack = async (): Promise<void> => {
    isClosed = true
    while (pending.size > 0) await Promise.allSettled(pending)
    open.watch(() => {})
  }
  const tracked = (result: unknown): unknown => {
    if (!(result instanceof Promise)) return result
    pending.add(result)
    const forget = () => void pending.delete(result)
    result.then(forget, forget)
    return result
  }
  const records = new Proxy(open, {
    get(target, name) {
      if (name === 'close') return takeBack
      const member = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      return (...args: unknown[]) =>
        isClosed ? Promise.reject(closedError()) : tracked(member.apply(target, args))
    },
  })
  return { records, takeBack }
}

const TABLES: Readonly<Record<RecordsDialect, string>> = {
  sqlite: `select name from sqlite_master where type = 'table' and name not like 'sqlite_%' and name not like 'kysely_%'`,
  postgres: `select tablename as name from pg_tables where schemaname = 'public' and tablename not like 'kysely_%'`,
}

/** Brings a database back to what its migrations made of it. */
export type Emptying = () => Promise<void>

/** Looks at a newly migrated database, and returns what brings it back to that state. */
export const emptyingOf = async (records: Records): Promise<Emptying> => {
  const { dialect } = records
  const tables = await records.read(async db => {
    const { rows } = await sql<{ name: string }>`${sql.raw(TABLES[dialect])}`.execute(db)
    return Promise.all(
      rows.map(async ({ name }) => ({
        name,
        rows: (await sql<Record<string, unknown>>`select * from ${sql.table(name)}`.execute(db)).rows,
      })),
    )
  })
  const names = sql.join(tables.map(({ name }) => sql.table(name)))
  return () =>
    records.write(async db => {
      if (dialect === 'postgres') await sql`truncate ${names} restart identity`.execute(db)
      else {
        await sql`pragma defer_foreign_keys = on`.execute(db)
        for (const { name } of tables) await sql`delete from ${sql.table(name)}`.execute(db)
      }
      for (const { name, rows } of tables)
        for (const row of rows) {
          const columns = sql.join(Object.keys(row).map(column => sql.ref(column)))
          const values = sql.join(Object.values(row))
          await sql`insert into ${sql.table(name)} (${columns}) values (${values})`.execute(db)
        }
    })
}
