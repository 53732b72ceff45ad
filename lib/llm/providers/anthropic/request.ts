import type { ModelParameters, Tool, ToolChoice } from '../../message.ts'
import type { Call, Target } from '../../types.ts'
import type { OutputLimits } from '../definition.ts'
import { type TemperatureRange, temperatureFor, temperatureWarnings } from '../shared/chat-request.ts'
import {
  assertTranslatable,
  clientsName,
  isRawFor,
  namesIn,
  rawRequest,
  untranslatedIn,
} from '../shared/raw-request.ts'
import { omittedFrom, type Unsupported } from '../shared/unsupported-parameters.ts'
import { conversationOf, systemOf } from './messages.ts'

/** Anthropic requires a limit. Its models have at least this one. */
const DEFAULT_MAX_TOKENS = 4_096

const rangeOf = (unsupported: Unsupported): TemperatureRange => ({
  highestTemperature: 1,
  isFixed: unsupported.has('temperature'),
})

/** Whether a system message follows another role's message. */
const isSystemLate = ({ messages }: Call): boolean =>
  messages.some(({ role }, index) => role === 'system' && messages[index - 1]?.role !== 'system' && index > 0)

/** Warnings about changes that `messagesRequest` makes to a call. */
export const messagesWarnings = (call: Call, target: Target, unsupported: Unsupported): readonly string[] => {
  const isRaw = isRawFor(call, 'anthropic-messages')
  const warnings = isRaw ? [] : [...temperatureWarnings(call, rangeOf(unsupported))]
  if (isSystemLate(call) && !isRaw)
    warnings.push('This model takes system messages first only; later ones were moved to the beginning.')
  for (const name of omittedByMessages(call, target, unsupported))
    warnings.push(`This model takes no ${name}; it was not sent.`)
  return warnings
}

/** Parameters of chat completions that have a counterpart in the Messages API. */
const TRANSLATED: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'stream',
  'stream_options',
  'temperature',
  'top_p',
  'max_tokens',
  'max_completion_tokens',
  'stop',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'response_format',
  'reasoning_effort',
  'reasoning',
  'user',
])

/** Members of a body in Anthropic's format that the model is known to refuse, and that an answer can do without. */
const refusedOf = (names: readonly string[], unsupported: Unsupported): readonly string[] => {
  const omitted = omittedFrom(names, unsupported)
  return unsupported.has('temperature') && names.includes('temperature')
    ? [...omitted, 'temperature']
    : omitted
}

/** The client's parameters that the Messages API does not have, or the model does not take. */
export const omittedByMessages = (call: Call, _: Target, unsupported: Unsupported): readonly string[] => {
  if (isRawFor(call, 'anthropic-messages')) return refusedOf(namesIn(call.raw), unsupported)
  const { choices = 1, responseFormat, serviceTier } = call.parameters ?? {}
  const names = isRawFor(call, 'openai-chat')
    ? namesIn(call.raw).filter(name => !TRANSLATED.has(name))
    : [...untranslatedIn(call), ...(serviceTier === undefined ? [] : ['service_tier'])]
  const omitted = names.filter(name => name !== 'n' || choices > 1)
  return responseFormat?.type === 'json-object' ? [...omitted, clientsName(call, 'response_format')] : omitted
}

const ANY_INPUT = { type: 'object', properties: {} }
const TEXT_INPUT = { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] }

const toolFor = ({ name, description, parameters, custom }: Tool): object => ({
  name,
  ...(description !== undefined && { description }),
  input_schema: custom ? TEXT_INPUT : (parameters ?? ANY_INPUT),
})

/** The tool whose input is the answer, for a call that wants an answer of a schema. */
export const answerTool = ({ responseFormat, tools = [] }: ModelParameters): Tool | undefined =>
  responseFormat?.type === 'json-schema' && tools.length === 0
    ? { name: responseFormat.name, parameters: responseFormat.schema, description: 'Gives the answer.' }
    : undefined

const choiceFor = (choice: ToolChoice): Readonly<Record<string, unknown>> => {
  switch (choice.type) {
    case 'tool':
      return { type: 'tool', name: choice.name }
    case 'allowed':
      return { type: choice.mode === 'required' ? 'any' : 'auto' }
    case 'required':
      return { type: 'any' }
    default:
      return { type: choice.type }
  }
}

const toolsFor = (parameters: ModelParameters): object => {
  const answer = answerTool(parameters)
  if (answer) return { tools: [toolFor(answer)], tool_choice: { type: 'tool', name: answer.name } }
  const { tools = [], toolChoice, parallelToolCalls } = parameters
  if (tools.length === 0) return {}
  const allowed = toolChoice?.type === 'allowed' ? new Set(toolChoice.names) : undefined
  const isSingle = parallelToolCalls === false
  const choice = toolChoice ? choiceFor(toolChoice) : { type: 'auto' }
  return {
    tools: tools.filter(({ name }) => allowed?.has(name) ?? true).map(toolFor),
    ...((toolChoice || isSingle) && {
      tool_choice: {
        ...choice,
        ...(isSingle && choice.type !== 'none' && { disable_parallel_tool_use: true }),
      },
    }),
  }
}

/** Tokens of reasoning by effort; Anthropic's least is 1,024. */
const EFFORT_TOKENS: Readonly<Record<string, number>> = {
  low: 1_024,
  medium: 4_096,
  high: 16_384,
  xhigh: 32_768,
}

/** Tokens of reasoning; none where an earlier tool call has lost its reasoning, which Anthropic would require. */
const reasoningTokensFor = ({ messages, parameters = {} }: Call): number => {
  const isLost = messages.some(
    message =>
      message.role === 'assistant' && message.toolCalls && !message.reasoning?.some(one => one.signature),
  )
  if (isLost || answerTool(parameters)) return 0
  const { reasoningTokens, reasoningEffort = '' } = parameters
  return reasoningTokens ?? EFFORT_TOKENS[reasoningEffort] ?? 0
}

const limitsFor = (call: Call): OutputLimits => ({
  answer: call.maxOutputTokens ?? DEFAULT_MAX_TOKENS,
  reasoning: reasoningTokensFor(call),
})

/** The limits of a call that is translated: Anthropic takes them as one. */
export const outputLimits = (call: Call): OutputLimits | undefined =>
  isRawFor(call, 'anthropic-messages') ? undefined : limitsFor(call)

/** Translates a call to `POST /v1/messages`: system messages are separate from the conversation. */
export const messagesRequest = (call: Call, target: Target, unsupported: Unsupported): object | string => {
  if (isRawFor(call, 'anthropic-messages')) {
    // A model may refuse a parameter by its name alone.
    const written = call.raw.members.map(([name]) => name)
    const refused = new Set(refusedOf(written, unsupported))
    return rawRequest(call.raw, {
      model: target.model,
      stream: call.stream,
      wantsUsage: false,
      omitted: name => refused.has(name),
    })
  }
  assertTranslatable(call)
  const { parameters = {} } = call
  const system = systemOf(call.messages)
  const { answer, reasoning } = limitsFor(call)
  // With reasoning Anthropic takes only its default temperature.
  const temperature = reasoning === 0 ? temperatureFor(call, rangeOf(unsupported)) : undefined
  return {
    model: target.model,
    max_tokens: answer + reasoning,
    messages: conversationOf(call.messages),
    ...(system !== '' && { system }),
    ...(temperature !== undefined && { temperature }),
    ...(parameters.topP !== undefined && { top_p: parameters.topP }),
    ...(parameters.topK !== undefined && { top_k: parameters.topK }),
    ...(parameters.stop && { stop_sequences: parameters.stop }),
    ...(parameters.user !== undefined && { metadata: { user_id: parameters.user } }),
    ...toolsFor(parameters),
    ...(reasoning > 0 && { thinking: { type: 'enabled', budget_tokens: reasoning } }),
    ...(call.stream && { stream: true }),
  }
}
