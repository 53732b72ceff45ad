import type { ResponseFormat, Tool, ToolChoice } from '../../message.ts'
import { strictFor } from './openai-strict.ts'

/** A schema of arguments that OpenAI takes: one of an object says which properties it has, even if none. */
export const withProperties = (schema: unknown): unknown => {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return schema
  const { type, properties } = schema as Readonly<{ type?: unknown; properties?: unknown }>
  return type === 'object' && (properties === undefined || properties === null)
    ? { ...schema, properties: {} }
    : schema
}

/** A tool in OpenAI's form. */
const toolFor = ({ name, description, parameters, strict, custom }: Tool): object => {
  if (custom) return { type: 'custom', custom: { name, description, ...custom } }
  return {
    type: 'function',
    function: {
      name,
      description,
      parameters: withProperties(parameters),
      strict: strictFor(strict, parameters),
    },
  }
}

/**
 * Tools in OpenAI's form, without those of another format alone; `undefined` where there are none, since OpenAI refuses
 * an empty list.
 */
export const toolsFor = (tools: readonly Tool[]): readonly object[] | undefined => {
  const known = tools.filter(({ definedBy }) => definedBy === undefined)
  return known.length > 0 ? known.map(toolFor) : undefined
}

/** A choice among the tools that are sent; undefined where it is of one that another format alone has. */
export const choiceAmong = (
  choice: ToolChoice | undefined,
  tools: readonly Tool[],
): ToolChoice | undefined => {
  if (choice?.type !== 'tool') return choice
  const isLost = tools.some(({ name, definedBy }) => name === choice.name && definedBy !== undefined)
  return isLost ? undefined : choice
}

/** A choice of tools in OpenAI's form. @param tools the request's tools: the choice of one is of its kind */
export const toolChoiceFor = (choice: ToolChoice, tools: readonly Tool[]): string | object => {
  const named = (name: string): object => {
    const type = tools.some(tool => tool.name === name && tool.custom) ? 'custom' : 'function'
    return { type, [type]: { name } }
  }
  if (choice.type === 'tool') return named(choice.name)
  if (choice.type !== 'allowed') return choice.type
  return { type: 'allowed_tools', allowed_tools: { mode: choice.mode, tools: choice.names.map(named) } }
}

/** A response format in OpenAI's form. */
export const responseFormatFor = (format: ResponseFormat): object => {
  if (format.type !== 'json-schema') return { type: format.type.replace('-', '_') }
  const { type: _, ...form } = format
  const { strict } = form
  return {
    type: 'json_schema',
    json_schema: strict ? { ...form, strict: strictFor(strict, form.schema) } : form,
  }
}
