import { type Environment, environment, SECRETS, TOGETHER } from './schema.ts'

/** What is wrong with the environment, one line a fault. */
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

const shown = (name: string, value: string | undefined): string => {
  if (SECRETS.some(secret => secret === name)) return '(secret)'
  return value === undefined ? '(unset)' : `“${value.slice(0, LONGEST_SHOWN)}”`
}

type Variables = Readonly<Record<string, string | undefined>>

const halfSet = (set: Variables): string[] =>
  TOGETHER.flatMap(pair =>
    pair.some(name => set[name])
      ? pair
          .filter(name => !set[name])
          .map(name => `  ${name} = (unset): is needed too, for ${pair.join(' and ')} go together`)
      : [],
  )

/**
 * Reads and checks a whole environment.
 * @throws ConfigurationError that names every fault: variable, value unless secret, remedy.
 */
export const parseEnvironment = (variables: Variables): Environment => {
  const set = Object.fromEntries(Object.entries(variables).filter(([, value]) => value?.trim()))
  const parsed = environment.safeParse(set)
  const faults = (parsed.error?.issues ?? []).map(({ path, message }) => {
    const name = String(path[0])
    return `  ${name} = ${shown(name, set[name])}: ${message}; .env.example tells more`
  })
  faults.push(...halfSet(set))
  if (parsed.success && faults.length === 0) return parsed.data
  throw new ConfigurationError(faults)
}

/** The password inside an address, as it stands there and decoded. */
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

/** The configured values of all secrets, for whoever has to keep them out of sight. */
export const secretsOf = (env: Environment): readonly string[] => [
  ...SECRETS.flatMap(name => env[name] ?? []),
  ...passwordsOf(env.REDIS_URL),
  ...passwordsOf(env.DATABASE_URL),
]

/** This process's environment. Nothing else reads it. */
export const readEnvironment = (): Environment => parseEnvironment(process.env)

/** Whether this process is the script of an npm (or another package manager) that it replaced the shell of. */
export const runScriptOfNpm = (): boolean => process.env.npm_lifecycle_script?.startsWith('exec ') ?? false
