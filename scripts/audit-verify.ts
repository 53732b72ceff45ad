import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { anchorPath, parseAnchor, readAnchor } from '#lib/audit/anchor-file.ts'
import { AuditRecords } from '#lib/audit/records.ts'
import type { AuditAnchor } from '#lib/audit/types.ts'
import { verifyAudit } from '#lib/audit/verify.ts'
import { keptAlive, systemClock } from '#lib/clock.ts'
import { readEnvironment } from '#lib/config/env.ts'
import { loadEnvFiles } from '#lib/config/env-files.ts'
import { openRecords, recordsFile } from '#lib/storage/records/open.ts'

const USAGE = 'usage: npm run audit:verify [-- SEQUENCE:HASH …]\n'
const OPTIONS = { help: { type: 'boolean', short: 'h' } } as const

const say = (text: string): void => void process.stdout.write(`${text}\n`)

const anchorsOf = (texts: readonly string[]): readonly AuditAnchor[] =>
  texts.map(text => {
    const anchor = parseAnchor(text)
    if (!anchor) throw new Error(`“${text}” is no anchor; ${USAGE.trimEnd()}`)
    return anchor
  })

/** Verifies the audit log against the anchor in DATA_DIR and those of the command line. @returns the exit code */
const main = async (): Promise<number> => {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true })
  if (values.help) {
    process.stdout.write(USAGE)
    return 0
  }
  loadEnvFiles()
  const { DATABASE_URL, DATA_DIR, DATABASE_WAIT_SECONDS } = readEnvironment()
  const beside = readAnchor(DATA_DIR)
  const anchors = [...anchorsOf(positionals), ...(beside ? [beside] : [])]
  const file = recordsFile(DATA_DIR)
  // Opening it would create an empty one, whose log is whole.
  if (DATABASE_URL === undefined && !existsSync(file))
    throw new Error(`There is no database at ${file} (DATA_DIR).`)
  const location = { databaseUrl: DATABASE_URL, dataDir: DATA_DIR, waitMs: DATABASE_WAIT_SECONDS * 1000 }
  const records = await openRecords(location, systemClock)
  const log = new AuditRecords(records)
  const verdict = await verifyAudit(
    { head: () => log.head(), after: (...page) => log.after(...page) },
    anchors,
  )
  await records.close()
  if (!verdict.ok) {
    say(`Row ${verdict.fault.sequence} of the audit log ${verdict.fault.reason}.`)
    return 1
  }
  const { sequence, hash } = verdict.last
  say(`The audit log is whole: ${sequence} rows. Anchor: ${sequence}:${hash}`)
  if (anchors.length === 0)
    say(
      `There is no anchor at ${anchorPath(DATA_DIR)}, and none was given: removed rows at the end may be unnoticed.`,
    )
  return 0
}

keptAlive(main()).then(
  code => {
    process.exitCode = code
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 2
  },
)
