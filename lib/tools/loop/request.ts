import { GatewayError } from '../../errors.ts'
import type { ModelParameters, Tool as ModelTool, ToolChoice } from '../../llm/message.ts'
import type { Call, RawRequest, WireFormat } from '../../llm/types.ts'
import type { ToolRegistry } from '../registry.ts'
import type { Tool } from '../types.ts'

const refused = (message: string): GatewayError =>
  new GatewayError('INVALID_INPUT', `tools ${message}.`, { details: [{ path: 'tools', message }] })

/** The gateway's tools that a call asks for, each once. Throws GatewayError INVALID_INPUT for an unknown one. */
export const wantedTools = (
  { gatewayTools = [], parameters }: Call,
  registry: ToolRegistry,
): readonly Tool[] => {
  const tools = new Map<string, Tool>()
  for (const name of gatewayTools) {
    const tool = registry.find(name)
    if (!tool) {
      const known = registry.names.join(', ') || 'none here'
      throw refused(`names a tool that the gateway does not have; it has: ${known}`)
    }
    tools.set(tool.name, tool)
  }
  const taken = parameters?.tools?.find(({ name }) => tools.has(name))
  if (taken) throw refused(`has two tools of the name ${taken.name}`)
  return [...tools.values()]
}

/** A tool as the model sees it. */
const definitionOf = ({ name, description, parameters }: Tool): ModelTool => ({
  name,
  description,
  parameters,
})

/** After the first round a choice that forces a call would force one for ever. */
const laterChoice = (choice: ToolChoice | undefined): ToolChoice | undefined => {
  if (choice?.type === 'allowed') return { ...choice, mode: 'auto' }
  return choice?.type === 'tool' || choice?.type === 'required' ? { type: 'auto' } : choice
}

const NO_MORE: ToolChoice = { type: 'none' }

/** The parameters of a round, counted from 1. The last one may call no tool. */
export const roundParameters = (
  { parameters = {} }: Call,
  tools: readonly Tool[],
  round: Readonly<{ number: number; isLast: boolean }>,
): ModelParameters => {
  const { toolChoice, ...others } = parameters
  const choice = round.number === 1 ? toolChoice : laterChoice(toolChoice)
  const chosen = round.isLast ? NO_MORE : choice
  return {
    ...others,
    tools: [...(others.tools ?? []), ...tools.map(definitionOf)],
    ...(chosen && { toolChoice: chosen }),
  }
}

/** A call as its input tokens are counted: with the definitions of the gateway's tools in its first round. */
export const countable = (call: Call, registry: ToolRegistry): Call => {
  if (!call.gatewayTools) return call
  const parameters = roundParameters(call, wantedTools(call, registry), { number: 1, isLast: false })
  return { ...withoutRaw(call).call, parameters }
}

/** What is known of a request of each format. All else is left out, since the body cannot pass on as it came. */
const KNOWN: Readonly<Record<WireFormat, ReadonlySet<string>>> = {
  'openai-chat': new Set([
    'model',
    'messages',
    'stream',
    'stream_options',
    'temperature',
    'top_p',
    'n',
    'max_tokens',
    'max_completion_tokens',
    'stop',
    'seed',
    'frequency_penalty',
    'presence_penalty',
    'tools',
    'tool_choice',
    'parallel_tool_calls',
    'response_format',
    'reasoning_effort',
    'reasoning',
    'service_tier',
    'user',
  ]),
  'anthropic-messages': new Set([
    'model',
    'messages',
    'system',
    'stream',
    'max_tokens',
    'temperature',
    'top_p',
    'top_k',
    'stop_sequences',
    'tools',
    'tool_choice',
    'thinking',
    'output_config',
    'output_format',
    'metadata',
    'service_tier',
  ]),
  'openai-responses': new Set(),
}

/** The names of what a request loses because the gateway's tools are in it. */
const lostMembers = ({ raw }: Readonly<{ raw: RawRequest }>): readonly string[] => {
  if (raw.untranslated) return raw.untranslated
  const { members, format, leftOut = [] } = raw
  const lost = members.flatMap(([name, value]) => (value === 'null' || KNOWN[format].has(name) ? [] : [name]))
  return [...lost, ...leftOut]
}

/** Several answers to one question cannot each go on with results of their own. */
const assertOneAnswer = ({ parameters }: Call): void => {
  if ((parameters?.choices ?? 1) <= 1) return
  const message = "must be 1 with the gateway's tools"
  throw new GatewayError('INVALID_INPUT', `n ${message}.`, { details: [{ path: 'n', message }] })
}

/**
 * The call without the body as the client wrote it, which names tools that no upstream knows; and the names of what
 * is left out with it. Throws GatewayError INVALID_INPUT where that is refused.
 */
export const withoutRaw = (call: Call): Readonly<{ call: Call; omitted: readonly string[] }> => {
  assertOneAnswer(call)
  const { raw, strict, ...others } = call
  if (!raw) return { call, omitted: [] }
  if (raw.untranslatable) throw raw.untranslatable
  const omitted = lostMembers({ raw })
  if (strict && omitted.length > 0)
    throw new GatewayError(
      'INVALID_INPUT',
      `${omitted.join(', ')} cannot be used with the gateway's tools.`,
      {
        details: omitted.map(path => ({ path, message: "cannot be used with the gateway's tools" })),
      },
    )
  const { format, headers } = raw
  return {
    call: { ...others, ...(strict && { strict }), ...(headers && { formatHeaders: { format, headers } }) },
    omitted,
  }
}
