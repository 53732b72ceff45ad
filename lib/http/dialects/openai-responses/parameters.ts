import type { ModelParameters, ResponseFormat, Tool, ToolChoice } from '../../../llm/message.ts'
import { GATEWAY_TOOL } from '../../../validation/gateway-tools.ts'
import type { OpenAiResponsesBody } from '../../../validation/openai-responses.ts'

type BodyTool = NonNullable<OpenAiResponsesBody['tools']>[number]
type BodyChoice = NonNullable<OpenAiResponsesBody['tool_choice']>
type BodyFormat = NonNullable<NonNullable<OpenAiResponsesBody['text']>['format']>

/** A custom tool's format as chat completions have it: the members of a grammar one level deeper. */
const customFormat = (format: BodyTool['format']): object => {
  if (!format) return {}
  const { type, ...members } = format
  return { format: type === 'grammar' ? { type, grammar: members } : format }
}

const toolOf = ({ type, name, description, parameters, strict, format }: BodyTool): Tool | undefined => {
  if (name === undefined || (type !== 'function' && type !== 'custom')) return undefined
  return {
    name,
    ...(description !== undefined && { description }),
    ...(type === 'function' && parameters && { parameters }),
    ...(type === 'function' && strict !== undefined && { strict }),
    ...(type === 'custom' && { custom: customFormat(format) }),
  }
}

/** A choice; undefined where it is of a tool that only the vendor has. */
const choiceOf = (choice: BodyChoice): ToolChoice | undefined => {
  if (typeof choice === 'string') return { type: choice }
  const { type, name, mode = 'auto', tools = [] } = choice
  if (type === 'allowed_tools')
    return { type: 'allowed', mode, names: tools.flatMap(tool => tool.name ?? []) }
  return (type === 'function' || type === 'custom') && name !== undefined ? { type: 'tool', name } : undefined
}

const formatOf = ({ type, name, description, schema, strict }: BodyFormat): ResponseFormat | undefined => {
  if (type === 'json_schema' && name !== undefined)
    return {
      type: 'json-schema',
      name,
      ...(description !== undefined && { description }),
      ...(schema && { schema }),
      ...(strict !== undefined && { strict }),
    }
  if (type === 'json_object') return { type: 'json-object' }
  return type === 'text' ? { type } : undefined
}

/** The parameters of a request that every format has. Tools of the vendor's own are left out. */
export const parametersOf = (body: OpenAiResponsesBody): ModelParameters => {
  const tools = (body.tools ?? []).flatMap(tool => toolOf(tool) ?? [])
  const hasTools = tools.length > 0 || body.tools?.some(({ type }) => type === GATEWAY_TOOL)
  const format = body.text?.format
  const all = {
    topP: body.top_p,
    tools: hasTools ? tools : undefined,
    toolChoice: hasTools && body.tool_choice !== undefined ? choiceOf(body.tool_choice) : undefined,
    parallelToolCalls: hasTools ? body.parallel_tool_calls : undefined,
    responseFormat: format && formatOf(format),
    reasoningEffort: body.reasoning?.effort,
    serviceTier: body.service_tier,
    user: body.user ?? body.safety_identifier,
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

/** Members that are translated, or that the gateway itself honours. */
const HONOURED: ReadonlySet<string> = new Set([
  'model',
  'input',
  'instructions',
  'stream',
  'stream_options',
  'store',
  'background',
  'previous_response_id',
  'conversation',
  'prompt',
  'temperature',
  'top_p',
  'max_output_tokens',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'text',
  'reasoning',
  'include',
  'metadata',
  'truncation',
  'service_tier',
  'user',
  'safety_identifier',
])

/** Reasoning comes back with its vendor's signature, where there is one. */
const INCLUDED: ReadonlySet<string> = new Set(['reasoning.encrypted_content'])

/** The names of what a request asks of OpenAI alone. `null` is as good as absent. */
export const untranslatedIn = (body: OpenAiResponsesBody): readonly string[] => {
  const { tools = [], tool_choice: choice, include = [], text, truncation } = body
  const isChoiceLost = choice !== undefined && typeof choice !== 'string' && choiceOf(choice) === undefined
  return [
    ...Object.entries(body).flatMap(([name, value]) =>
      HONOURED.has(name) || value === null || value === undefined ? [] : [name],
    ),
    ...tools.flatMap((tool, index) =>
      toolOf(tool) || tool.type === GATEWAY_TOOL ? [] : [`tools[${index}].${tool.type}`],
    ),
    ...(isChoiceLost ? ['tool_choice'] : []),
    ...include.flatMap(name => (INCLUDED.has(name) ? [] : [`include.${name}`])),
    ...(text?.verbosity === undefined ? [] : ['text.verbosity']),
    ...(truncation === undefined || truncation === 'disabled' ? [] : ['truncation']),
  ]
}
