import { parseArgs } from 'node:util'
import { AuditRecords } from '#lib/audit/records.ts'
import type { Audit } from '#lib/audit/types.ts'
import { keyRecords } from '#lib/auth/keys/records.ts'
import { KeyService } from '#lib/auth/keys/service.ts'
import { ADMIN } from '#lib/auth/keys/verifier.ts'
import { keyPepper } from '#lib/auth/session-secret.ts'
import { keptAlive, systemClock } from '#lib/clock.ts'
import { ConfigurationError, readEnvironment } from '#lib/config/env.ts'
import { loadEnvFiles } from '#lib/config/env-files.ts'
import { GatewayError } from '#lib/errors.ts'
import { auditedKeys, type KeyChanges } from '#lib/gateway/keys.ts'
import { keyJson, madeKeyJson } from '#lib/http/dialects/keys.ts'
import { openRecords } from '#lib/storage/records/open.ts'
import { sharedClock } from '#lib/storage/records/shared-clock.ts'
import { keysQuery, newKeyBody, rotationBody } from '#lib/validation/keys.ts'
import { parseOrThrow } from '#lib/validation/zod.ts'

const HELP = `Usage: npm run keys -- <command> [options]

  create --name <name> [--owner <owner>] [--role member|admin] [--routes </v1/*,…>] [--models <openai/*,…>]
         [--requests-per-minute <n>] [--tokens-per-minute <n>] [--concurrency <n>]
         [--budget-day <usd>] [--budget-month <usd>] [--expires-at <2030-01-01T00:00:00Z>]
  list   [--limit <1-200>] [--cursor <nextCursor>]
  rotate <id> [--overlap-seconds <n>]
  revoke <id>

Works on the gateway's database (DATA_DIR, or DATABASE_URL with KEY_PEPPER) and prints JSON. A key is shown once.
`

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  name: { type: 'string' },
  owner: { type: 'string' },
  role: { type: 'string' },
  routes: { type: 'string' },
  models: { type: 'string' },
  'requests-per-minute': { type: 'string' },
  'tokens-per-minute': { type: 'string' },
  concurrency: { type: 'string' },
  'budget-day': { type: 'string' },
  'budget-month': { type: 'string' },
  'expires-at': { type: 'string' },
  limit: { type: 'string' },
  cursor: { type: 'string' },
  'overlap-seconds': { type: 'string' },
} as const

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values']

const ALL = { all: true } as const

const listOf = (text: string | undefined) => text?.split(',').map(entry => entry.trim())

type NumberOption =
  | 'requests-per-minute'
  | 'tokens-per-minute'
  | 'concurrency'
  | 'budget-day'
  | 'budget-month'
  | 'overlap-seconds'

/** Throws Error for a text that is no number, which a blank one is not either. */
const numberOf = (values: Values, option: NumberOption): number | undefined => {
  const text = values[option]
  if (text === undefined) return undefined
  const number = text.trim() === '' ? Number.NaN : Number(text)
  if (!Number.isFinite(number)) throw new Error(`--${option} must be a number.`)
  return number
}

/** The options as the body of POST /api/admin/keys. */
const bodyOf = (values: Values) => ({
  name: values.name,
  owner: values.owner,
  role: values.role,
  scopes: { routes: listOf(values.routes), models: listOf(values.models) },
  limits: {
    requestsPerMinute: numberOf(values, 'requests-per-minute'),
    tokensPerMinute: numberOf(values, 'tokens-per-minute'),
    concurrency: numberOf(values, 'concurrency'),
  },
  budgetUsd: { day: numberOf(values, 'budget-day'), month: numberOf(values, 'budget-month') },
  expiresAt: values['expires-at'],
})

type Services = Readonly<{ service: KeyService; changes: KeyChanges }>
type Option = Exclude<keyof typeof OPTIONS, 'help'>
type Command = Readonly<{
  options: readonly Option[]
  /** Takes the id of a key. */
  takesId: boolean
  run: (services: Services, values: Values, id: string | undefined, now: number) => Promise<unknown>
}>

const COMMANDS: Readonly<Record<string, Command>> = {
  create: {
    options: [
      'name',
      'owner',
      'role',
      'routes',
      'models',
      'requests-per-minute',
      'tokens-per-minute',
      'concurrency',
      'budget-day',
      'budget-month',
      'expires-at',
    ],
    takesId: false,
    run: async ({ changes }, values, _, now) =>
      madeKeyJson(await changes.create(ADMIN, parseOrThrow(newKeyBody(now), bodyOf(values)), ALL), now),
  },
  list: {
    options: ['limit', 'cursor'],
    takesId: false,
    run: async ({ service }, { limit, cursor }, _, now) => {
      const query = { ...(limit !== undefined && { limit }), ...(cursor !== undefined && { cursor }) }
      const page = await service.list(parseOrThrow(keysQuery, query), ALL)
      return { keys: page.entries.map(key => keyJson(key, now)), nextCursor: page.cursor ?? null }
    },
  },
  rotate: {
    options: ['overlap-seconds'],
    takesId: true,
    run: async ({ changes }, values, id, now) => {
      const body = { overlapSeconds: numberOf(values, 'overlap-seconds') }
      const { overlapSeconds } = parseOrThrow(rotationBody, body)
      return madeKeyJson(await changes.rotate(id, overlapSeconds * 1000, ALL), now)
    },
  },
  revoke: {
    options: [],
    takesId: true,
    run: async ({ changes }, _, id, now) => keyJson(await changes.revoke(id, ALL), now),
  },
}

/** What is wrong with the arguments of a command: nothing of them is ignored. */
const argumentFault = (
  name: string,
  { options, takesId }: Command,
  values: Values,
  ids: readonly string[],
): string | undefined => {
  const foreign = Object.keys(values).find(option => !options.some(known => known === option))
  if (foreign !== undefined) return `${name} takes no --${foreign}.`
  if (takesId) return ids.length === 1 ? undefined : `${name} takes the id of one key.`
  return ids.length === 0 ? undefined : `${name} takes no “${ids[0]}”.`
}

const run = async (command: Command, values: Values, id: string | undefined): Promise<void> => {
  loadEnvFiles()
  const env = readEnvironment()
  const pepper = keyPepper(env.KEY_PEPPER, env.DATA_DIR, code => {
    throw new ConfigurationError([`  DATA_DIR = ${env.DATA_DIR}: cannot be used (${code})`])
  })
  const records = await openRecords({ databaseUrl: env.DATABASE_URL, dataDir: env.DATA_DIR }, systemClock)
  try {
    const clock = await sharedClock(records, systemClock)
    const service = new KeyService({
      records: keyRecords(records),
      pepper,
      clock,
      onChange: () => {},
      lastUse: () => undefined,
    })
    const log = new AuditRecords(records)
    const audit: Audit = { append: (entry, transaction) => log.append(entry, clock.now(), transaction) }
    const changes = auditedKeys(service, audit, { actor: { kind: 'system' } })
    const result = await command.run({ service, changes }, values, id, clock.now())
    process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`)
  } finally {
    await records.close()
  }
}

const main = async (): Promise<number> => {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true })
  const [name = '', ...ids] = positionals
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (values.help || !command) {
    process[values.help ? 'stdout' : 'stderr'].write(HELP)
    return values.help ? 0 : 1
  }
  const fault = argumentFault(name, command, values, ids)
  if (fault !== undefined) throw new Error(`${fault}\n\n${HELP.trimEnd()}`)
  await run(command, values, ids[0])
  return 0
}

const messageOf = (error: unknown): string =>
  error instanceof GatewayError || error instanceof Error ? error.message : String(error)

process.exitCode = await keptAlive(main()).catch(error => {
  process.stderr.write(`${messageOf(error)}\n`)
  return 1
})
