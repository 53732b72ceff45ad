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

const DEFAULT_TEMPERATURE = 1

/** With reasoning Anthropic takes only its default temperature. */
const rangeOf = (call: Call, unsupported: Unsupported): TemperatureRange => ({
  highestTemperature: 1,
  isFixed: unsupported.has('temperature') || reasoningTokensFor(call) > 0,
})

/** Whether a system message follows another role's message. */
const isSystemLate = ({ messages }: Call): boolean =>
  messages.some(({ role }, index) => role === 'system' && messages[index - 1]?.role !== 'system' && index > 0)

/** Warnings about changes that `messagesRequest` makes to a call. */
export const messagesWarnings = (call: Call, target: Target, unsupported: Unsupported): readonly string[] => {
  const isRaw = isRawFor(call, 'anthropic-messages')
  const warnings = isRaw ? [] : [...temperatureWarnings(call, rangeOf(call, unsupported))]
  if (isSystemLate(call) && !isRaw)
    warnings.push('This model takes system messages first only; later ones were moved to the beginning.')
  for (const name of omittedByMessages(call, target, unsupported))
    if (isRaw || name !== 'temperature') warnings.push(`This model takes no ${name}; it was not sent.`)
  return warnings
}

/** Parameters of chat completions that have a counterpart in the Messages API, or need none by their usual value. */
const TRANSLATED: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'n',
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

/** Efforts that need no reasoning: none, and less than Anthropic's least. */
const WITHOUT_REASONING: ReadonlySet<string> = new Set(['none', 'minimal'])

const isReasoningLost = (call: Call): boolean => {
  const { reasoningTokens, reasoningEffort = 'none' } = call.parameters ?? {}
  const isAsked =
    reasoningTokens === undefined ? !WITHOUT_REASONING.has(reasoningEffort) : reasoningTokens > 0
  return isAsked && reasoningTokensFor(call) === 0
}

const isTemperatureLost = (call: Call, unsupported: Unsupported): boolean =>
  call.temperature !== undefined &&
  call.temperature !== DEFAULT_TEMPERATURE &&
  temperatureFor(call, rangeOf(call, unsupported)) === undefined

/** A client of chat completions has two names for an effort of reasoning. */
const effortName = (call: Call): string => {
  const names = isRawFor(call, 'openai-chat') ? namesIn(call.raw) : []
  return names.includes('reasoning') && !names.includes('reasoning_effort') ? 'reasoning' : 'reasoning_effort'
}

/** The parameters of a call that its translation leaves out, by their names in chat completions. */
const lostIn = (call: Call, unsupported: Unsupported): readonly string[] => {
  const { parameters = {} } = call
  const { choices = 1, responseFormat = { type: 'text' } } = parameters
  const isLost = {
    n: choices > 1,
    seed: parameters.seed !== undefined,
    frequency_penalty: parameters.frequencyPenalty !== undefined,
    presence_penalty: parameters.presencePenalty !== undefined,
    service_tier: parameters.serviceTier !== undefined,
    response_format: responseFormat.type !== 'text' && !answerTool(parameters),
    [effortName(call)]: isReasoningLost(call),
    temperature: isTemperatureLost(call, unsupported),
  }
  return Object.entries(isLost).flatMap(([name, one]) => (one ? [clientsName(call, name)] : []))
}

/** The client's parameters that the Messages API does not have, or the model does not take. */
export const omittedByMessages = (call: Call, _: Target, unsupported: Unsupported): readonly string[] => {
  if (isRawFor(call, 'anthropic-messages')) return refusedOf(namesIn(call.raw), unsupported)
  const unknown = isRawFor(call, 'openai-chat')
    ? namesIn(call.raw).filter(name => !TRANSLATED.has(name))
    : untranslatedIn(call)
  return [...new Set([...unknown, ...lostIn(call, unsupported)])]
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
const EFFORT_TOKENS: ReadonlyMap<string, number> = new Map([
  ['low', 1_024],
  ['medium', 4_096],
  ['high', 16_384],
  ['xhigh', 32_768],
  ['max', 32_768],
])

/** Tokens of reasoning; none where an earlier tool call has lost its reasoning, which Anthropic would require. */
const reasoningTokensFor = ({ messages, parameters = {} }: Call): number => {
  const isLost = messages.some(
    message =>
      message.role === 'assistant' && message.toolCalls && !message.reasoning?.some(one => one.signature),
  )
  if (isLost || answerTool(parameters)) return 0
  const { reasoningTokens, reasoningEffort = '' } = parameters
  return reasoningTokens ?? EFFORT_TOKENS.get(reasoningEffort) ?? 0
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
  const temperature = temperatureFor(call, rangeOf(call, unsupported))
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
