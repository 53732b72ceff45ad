import { cleanValue, invisibleCharacterIssue, shownValue } from './clean.ts'
import { envFileFaults } from './env-files.ts'
import { CHOSEN_SECRETS, type Environment, environment, NEEDED, SECRETS, TOGETHER } from './schema.ts'
import { weakness } from './weak-secret.ts'

/** The faults of the environment, one line each. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super(
      `The configuration has ${faults.length} fault${faults.length === 1 ? '' : 's'}:\n${faults.join('\n')}`,
    )
    this.faults = faults
  }
}

const LONGEST_SHOWN = 60

const isSecret = (name: string): boolean => SECRETS.some(secret => secret === name)

const shown = (name: string, value: string | undefined): string => {
  if (value === undefined) return '(unset)'
  return isSecret(name) || looksLikeKey(value) ? '(secret)' : `“${shownValue(value, LONGEST_SHOWN)}”`
}

/** A key that was put into the wrong variable. */
const looksLikeKey = (value: string): boolean =>
  /^(?:sk|pk|gsk|ghp|gho|github_pat|AIza|xai|r8|hf)[-_]?\w{12}/i.test(value)

type Variables = Readonly<Record<string, string | undefined>>

/** Finds the faults of what an environment refers to. @param unreadable the names of variables whose text is wrong */
export type FaultsBeside = (set: Variables, unreadable: ReadonlySet<string>) => readonly string[]

const halfSet = (set: Variables): string[] =>
  TOGETHER.flatMap(pair =>
    pair.some(name => set[name])
      ? pair
          .filter(name => !set[name])
          .map(name => `  ${name} = (unset): is required too: ${pair.join(' and ')} go together`)
      : [],
  )

const unmetNeeds = (set: Variables): string[] =>
  Object.entries(NEEDED).flatMap(([name, needed]) =>
    set[name] && !set[needed] ? [`  ${needed} = (unset): is required for ${name}`] : [],
  )
/** Gateways on one database must agree on the digests of keys. */
const withoutPepper = (set: Variables): string[] =>
  set.DATABASE_URL && !set.KEY_PEPPER
    ? [
        '  KEY_PEPPER = (unset): is required with DATABASE_URL: at least 32 random characters, the same on every gateway (openssl rand -base64 32)',
      ]
    : []

/** Secrets that can be guessed, in production. */
const weakSecrets = (set: Variables): string[] =>
  (set.NODE_ENV ?? 'production') === 'production'
    ? CHOSEN_SECRETS.flatMap(name => {
        const fault = weakness(set[name] ?? '')
        return fault === undefined
          ? []
          : [`  ${name} = (secret): ${fault}; make one with “openssl rand -base64 32”`]
      })
    : []

const LOWER_CASE_TOO = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'] as const

/** The variables of the schema that are set, cleaned. */
const setOf = (variables: Variables): Record<string, string> => {
  const set: Record<string, string> = {}
  for (const name of Object.keys(environment.shape)) {
    const value = cleanValue(variables[name] ?? '')
    if (value !== '') set[name] = value
  }
  for (const name of LOWER_CASE_TOO) {
    const value = cleanValue(variables[name.toLowerCase()] ?? '')
    if (value !== '') set[name] = value
  }
  return set
}

/**
 * Reads and checks a whole environment.
 *
 * @param before faults found earlier, to be reported together with its own
 * @param beside finds what is wrong besides, where anything is
 * @throws ConfigurationError that names every fault: variable, value unless secret, and what to do.
 */
export const parseEnvironment = (
  variables: Variables,
  before: readonly string[] = [],
  beside: FaultsBeside = () => [],
): Environment => {
  const set = setOf(variables)
  const faults = [...before]
  const unreadable = new Set<string>()
  for (const [name, value] of Object.entries(set)) {
    const fault = invisibleCharacterIssue(value)
    if (fault === undefined) continue
    unreadable.add(name)
    faults.push(`  ${name} = ${shown(name, value)}: ${fault}`)
  }
  const parsed = environment.safeParse(set)
  for (const { path, message } of parsed.error?.issues ?? []) {
    const name = String(path[0])
    if (unreadable.has(name)) continue
    faults.push(`  ${name} = ${shown(name, set[name])}: ${message}; see .env.example`)
  }
  faults.push(...halfSet(set), ...unmetNeeds(set), ...withoutPepper(set), ...weakSecrets(set))
  if (parsed.success && faults.length === 0) return parsed.data
  throw new ConfigurationError([...faults, ...beside(set, unreadable)])
}

/** The password inside a URL, both percent-encoded and decoded. */
const passwordsOf = (address: string | undefined): readonly string[] => {
  const password = address && URL.parse(address)?.password
  return password ? [password, decoded(password)] : []
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The configured values of all secrets, for redaction. */
export const secretsOf = (env: Environment): readonly string[] => [
  ...SECRETS.flatMap(name => env[name] ?? []),
  ...passwordsOf(env.REDIS_URL),
  ...passwordsOf(env.DATABASE_URL),
  ...passwordsOf(env.HTTP_PROXY),
  ...passwordsOf(env.HTTPS_PROXY),
]

/** This process's environment. Nothing else reads it. Throws as `parseEnvironment` does. */
export const readEnvironment = (beside?: FaultsBeside): Environment =>
  parseEnvironment(process.env, envFileFaults(), beside)

/** Whether npm (or another package manager) started this process as a script, without a shell in between. */
export const runScriptOfNpm = (): boolean => process.env.npm_lifecycle_script?.startsWith('exec ') ?? false
