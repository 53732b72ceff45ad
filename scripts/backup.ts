import { closeSync, existsSync, fsyncSync, linkSync, openSync, rmSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { parseArgs } from 'node:util'
import { readEnvironment } from '#lib/config/env.ts'
import { loadEnvFiles } from '#lib/config/env-files.ts'
import { recordsFile } from '#lib/storage/records/open.ts'
import { systemCode } from '#lib/system-error.ts'

const BUSY_MS = 30_000

const USAGE = 'usage: npm run backup -- FILE\n'
const OPTIONS = { help: { type: 'boolean', short: 'h' } } as const

const say = (text: string): void => void process.stdout.write(`${text}\n`)

/** Copies what is committed at this moment, while other processes write. @param to an empty file */
const copy = (from: string, to: string): void => {
  const source = new DatabaseSync(from, { readOnly: true, timeout: BUSY_MS })
  try {
    source.prepare('vacuum into ?').run(to)
  } finally {
    source.close()
  }
}

/** @throws Error where the copy is not sound */
const assertSound = (path: string, from: string): void => {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    const { integrity_check: found } = database.prepare('pragma integrity_check(1)').get() as {
      integrity_check: string
    }
    if (found !== 'ok') throw new Error(`The copy is damaged (${found}); is ${basename(from)} itself?`)
  } finally {
    database.close()
  }
}

const synced = (path: string): void => {
  const file = openSync(path, 'r')
  fsyncSync(file)
  closeSync(file)
}

/** Writes a whole copy under its name, or nothing. @throws Error where there is such a file already */
const backUp = (from: string, to: string): void => {
  const partial = `${to}.partial-${process.pid}`
  // It contains prompts and answers: other users of the machine may not read it.
  closeSync(openSync(partial, 'wx', 0o600))
  try {
    copy(from, partial)
    assertSound(partial, from)
    synced(partial)
    // Unlike a rename, it fails where the name is taken.
    linkSync(partial, to)
    synced(dirname(to))
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw new Error(`${to} exists already, and is not overwritten.`)
    throw error
  } finally {
    rmSync(partial, { force: true })
  }
}

/** @returns the exit code */
const main = (): number => {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true })
  const [file] = positionals
  if (values.help || file === undefined || positionals.length > 1) {
    process[values.help ? 'stdout' : 'stderr'].write(USAGE)
    return values.help ? 0 : 2
  }
  loadEnvFiles()
  const { DATABASE_URL, DATA_DIR } = readEnvironment()
  if (DATABASE_URL !== undefined) {
    process.stderr.write(
      'The database is a Postgres (DATABASE_URL). Back it up by pg_dump: pg_dump --format=custom --file=FILE "$DATABASE_URL"\n',
    )
    return 2
  }
  const from = recordsFile(DATA_DIR)
  const to = resolve(file)
  if (!existsSync(from)) throw new Error(`There is no database at ${from} (DATA_DIR).`)
  if (existsSync(to)) throw new Error(`${to} exists already, and is not overwritten.`)
  backUp(from, to)
  say(`${from} is backed up to ${to}; its integrity was checked.`)
  return 0
}

try {
  process.exitCode = main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
