import type { ResponseFormat, Tool, ToolChoice } from '../../message.ts'

/** A tool in OpenAI's form. */
const toolFor = ({ name, description, parameters, strict, custom }: Tool): object =>
  custom
    ? { type: 'custom', custom: { name, description, ...custom } }
    : { type: 'function', function: { name, description, parameters, strict } }

/**
 * Tools in OpenAI's form, without those of another format alone; `undefined` where there are none, since OpenAI refuses
 * an empty list.
 */
export const toolsFor = (tools: readonly Tool[]): readonly object[] | undefined => {
  const known = tools.filter(({ definedBy }) => definedBy === undefined)
  return known.length > 0 ? known.map(toolFor) : undefined
}

const named = (name: string): object => ({ type: 'function', function: { name } })

/** A choice of tools in OpenAI's form. */
export const toolChoiceFor = (choice: ToolChoice): string | object => {
  if (choice.type === 'tool') return named(choice.name)
  if (choice.type !== 'allowed') return choice.type
  return { type: 'allowed_tools', allowed_tools: { mode: choice.mode, tools: choice.names.map(named) } }
}

/** A response format in OpenAI's form. */
export const responseFormatFor = (format: ResponseFormat): object => {
  if (format.type === 'json-object') return { type: 'json_object' }
  if (format.type === 'text') return { type: 'text' }
  const { type: _, ...schema } = format
  return { type: 'json_schema', json_schema: schema }
}
