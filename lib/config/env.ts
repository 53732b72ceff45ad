import { type Environment, environment, SECRETS } from './schema.ts'

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

/**
 * Reads and checks a whole environment.
 * @throws ConfigurationError that names every fault: variable, value unless secret, remedy.
 */
export const parseEnvironment = (variables: Readonly<Record<string, string | undefined>>): Environment => {
  const set = Object.fromEntries(Object.entries(variables).filter(([, value]) => value?.trim()))
  const parsed = environment.safeParse(set)
  if (parsed.success) return parsed.data
  throw new ConfigurationError(
    parsed.error.issues.map(({ path, message }) => {
      const name = String(path[0])
      return `  ${name} = ${shown(name, set[name])}: ${message}; .env.example tells more`
    }),
  )
}

/** The configured values of all secrets, for whoever has to keep them out of sight. */
export const secretsOf = (env: Environment): readonly string[] => SECRETS.flatMap(name => env[name] ?? [])

/** This process's environment. Nothing else reads it. */
export const readEnvironment = (): Environment => parseEnvironment(process.env)
