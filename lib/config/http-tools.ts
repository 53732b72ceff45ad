import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { DefinitionFault, type HttpToolDefinition } from '../tools/http/definition.ts'
import { type DefinitionSources, httpTool } from '../tools/http/tool.ts'
import type { Tool } from '../tools/types.ts'
import { ConfigurationError } from './env.ts'
import type { ConfigFile } from './file-schema.ts'

/** JSON or YAML, of which JSON is a part. */
const document = (file: string): unknown => {
  try {
    return parse(readFileSync(file, 'utf8'))
  } catch {
    throw new DefinitionFault(`has an OpenAPI document that cannot be read: ${file}`)
  }
}

const definitionsOf = ({ tools }: ConfigFile): readonly HttpToolDefinition[] => tools?.http ?? []

type Built = Readonly<{
  tools: readonly Tool[]
  faults: readonly (readonly [index: number, message: string])[]
}>

const build = (
  file: ConfigFile,
  taken: readonly string[],
  variable: DefinitionSources['variable'],
): Built => {
  const names = new Set(taken)
  const tools: Tool[] = []
  const faults: [number, string][] = []
  for (const [index, definition] of definitionsOf(file).entries())
    try {
      if (names.has(definition.name)) throw new DefinitionFault('has the name of another tool')
      names.add(definition.name)
      tools.push(httpTool(definition, { variable, document }))
    } catch (error) {
      if (!(error instanceof DefinitionFault)) throw error
      faults.push([index, error.message])
    }
  return { tools, faults }
}

/** What is wrong with the HTTP tools of a file, apart from variables that are not set. */
export const httpToolFaults = (file: ConfigFile, taken: readonly string[]): Built['faults'] =>
  build(file, taken, () => '').faults

/**
 * The HTTP tools of a file.
 *
 * @param taken names of other tools
 * @throws ConfigurationError, also for a variable that is not set
 */
export const httpToolsOf = (file: ConfigFile, taken: readonly string[]): readonly Tool[] => {
  const { tools, faults } = build(file, taken, name => process.env[name] || undefined)
  if (faults.length === 0) return tools
  throw new ConfigurationError(faults.map(([index, message]) => `tools.http[${index}]: ${message}`))
}
