import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { checkConfig } from '#lib/config/check.ts'
import { faultLine } from '#lib/config/file.ts'
import type { ConfigFile } from '#lib/config/file-schema.ts'
import { allListings } from '#lib/gateway/providers.ts'
import { systemCode } from '#lib/system-error.ts'

const USAGE = 'usage: npm run config:check -- FILE\n'
const OPTIONS = { help: { type: 'boolean', short: 'h' } } as const

const summary = (config: ConfigFile): string => {
  const count = (section: object | undefined) => Object.keys(section ?? {}).length
  const sections = Object.keys(config).filter(section => section !== '$schema')
  const counts = `${count(config.models)} models, ${count(config.aliases)} aliases, ${count(config.fallbacks)} fallback chains`
  return `The configuration is valid: ${counts}; sections: ${sections.join(', ') || 'none'}.`
}

/** @throws Error that says why the file cannot be read */
const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`${path} cannot be read (${systemCode(error) ?? 'unknown'})`)
  }
}

/** @returns the exit code */
const check = (path: string): number => {
  const checked = checkConfig(textOf(path), allListings())
  if (checked.ok) {
    process.stdout.write(`${summary(checked.config)}\n`)
    return 0
  }
  process.stderr.write(`${checked.faults.map(fault => `${path}: ${faultLine(fault)}`).join('\n')}\n`)
  return 1
}

/** @returns the exit code */
const main = (): number => {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true })
  const [path] = positionals
  if (!values.help && path !== undefined && positionals.length === 1) return check(path)
  process[values.help ? 'stdout' : 'stderr'].write(USAGE)
  return values.help ? 0 : 2
}

try {
  process.exitCode = main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
