import { readFileSync } from 'node:fs'
import { checkConfig } from '#lib/config/check.ts'
import { faultLine } from '#lib/config/file.ts'
import type { ConfigFile } from '#lib/config/file-schema.ts'
import { allListings } from '#lib/gateway/providers.ts'

const summary = (config: ConfigFile): string => {
  const count = (section: object | undefined) => Object.keys(section ?? {}).length
  const sections = Object.keys(config).filter(section => section !== '$schema')
  const counts = `${count(config.models)} models, ${count(config.aliases)} aliases, ${count(config.fallbacks)} fallback chains`
  return `The configuration is valid: ${counts}; sections: ${sections.join(', ') || 'none'}.`
}

const textOf = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

const check = (path: string): number => {
  const text = textOf(path)
  if (text === undefined) {
    process.stderr.write(`${path} cannot be read\n`)
    return 1
  }
  const checked = checkConfig(text, allListings())
  if (checked.ok) {
    process.stdout.write(`${summary(checked.config)}\n`)
    return 0
  }
  process.stderr.write(`${checked.faults.map(fault => `${path}: ${faultLine(fault)}`).join('\n')}\n`)
  return 1
}

const [path] = process.argv.slice(2)
if (path === undefined) process.stderr.write('usage: npm run config:check -- FILE\n')
process.exitCode = path === undefined ? 2 : check(path)
