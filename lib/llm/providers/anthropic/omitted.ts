import { isObject } from '../../../raw-json.ts'
import type { Tool } from '../../message.ts'
import type { Call, Target } from '../../types.ts'
import { temperatureFor, temperatureWarnings } from '../shared/chat-request.ts'
import { clientsName, isRawFor, namesIn, untranslatedIn } from '../shared/raw-request.ts'
import { omittedFrom, type Unsupported } from '../shared/unsupported-parameters.ts'
import { answerTool, rangeOf, reasoningTokensFor } from './limits.ts'

const DEFAULT_TEMPERATURE = 1

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
export const refusedOf = (names: readonly string[], unsupported: Unsupported): readonly string[] => {
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

/** Whether a client's form of `reasoning` asks for it by more than an effort or a number of tokens. */
const isReasoningFormLost = (call: Call): boolean => {
  const { reasoningTokens, reasoningEffort } = call.parameters ?? {}
  return (
    reasoningTokens === undefined &&
    reasoningEffort === undefined &&
    isRawFor(call, 'openai-chat') &&
    namesIn(call.raw).includes('reasoning')
  )
}

/** An image's level of detail, other than the one that is usual. */
const isDetailLost = ({ messages }: Call): boolean =>
  messages.some(
    ({ content }) =>
      typeof content !== 'string' &&
      content.some(part => part.type === 'image' && (part.detail ?? 'auto') !== 'auto'),
  )

/** A grammar that the input of a custom tool must follow. */
const hasGrammar = ({ custom }: Tool): boolean => {
  const { format } = custom ?? {}
  return isObject(format) && format.type !== 'text'
}

/** The parameters of a call that its translation leaves out, by their names in chat completions. */
const lostIn = (call: Call, unsupported: Unsupported): readonly string[] => {
  const { parameters = {} } = call
  const { choices = 1, responseFormat = { type: 'text' }, tools = [] } = parameters
  const isLost = {
    n: choices > 1,
    seed: parameters.seed !== undefined,
    frequency_penalty: parameters.frequencyPenalty !== undefined,
    presence_penalty: parameters.presencePenalty !== undefined,
    service_tier: parameters.serviceTier !== undefined,
    response_format: responseFormat.type !== 'text' && !answerTool(parameters),
    [effortName(call)]: isReasoningLost(call) || isReasoningFormLost(call),
    'tools.strict': tools.some(({ strict }) => strict === true),
    'tools.format': tools.some(hasGrammar),
    'image_url.detail': isDetailLost(call),
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
