import { isObject } from '../../../raw-json.ts'
import type { ModelParameters, Tool } from '../../message.ts'
import type { Call, Message, Target } from '../../types.ts'
import { notSent, omissionWarnings, temperatureWarnings } from '../shared/chat-request.ts'
import {
  type CallWarning,
  clientsName,
  isRawFor,
  limitName,
  namesIn,
  untranslatedIn,
} from '../shared/raw-request.ts'
import { omittedFrom, type Unsupported } from '../shared/unsupported-parameters.ts'
import { answerTool, isForceLost, schemaFor } from './answer-form.ts'
import { limitsFor } from './limits.ts'
import { isBlank } from './messages.ts'
import { type ClaudeModel, claudeModel } from './models.ts'
import { lostSampling, rangeOf } from './sampling.ts'
import { isThinkingLost, thinkingFor } from './thinking.ts'

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

/** An answer in a form that the model does not take. */
const isFormLost = (parameters: ModelParameters, model: ClaudeModel): boolean => {
  const { responseFormat = { type: 'text' } } = parameters
  return responseFormat.type !== 'text' && !schemaFor(parameters, model) && !answerTool(parameters, model)
}

/** The parameters of a call that its translation leaves out, by their names in chat completions. */
const lostIn = (call: Call, model: ClaudeModel, unsupported: Unsupported): readonly string[] => {
  const { parameters = {} } = call
  const { choices = 1, tools = [], stop = [] } = parameters
  const thinking = thinkingFor(call, model)
  const { temperature, ...sampling } = lostSampling(call, model, thinking, unsupported)
  const isLost = {
    n: choices > 1,
    seed: parameters.seed !== undefined,
    frequency_penalty: parameters.frequencyPenalty !== undefined,
    presence_penalty: parameters.presencePenalty !== undefined,
    service_tier: parameters.serviceTier !== undefined,
    stop: stop.some(isBlank),
    user: parameters.user !== undefined && unsupported.has('metadata'),
    ...sampling,
    tool_choice: isForceLost(parameters, model),
    response_format: isFormLost(parameters, model),
    [effortName(call)]: isThinkingLost(parameters, thinking) || isReasoningFormLost(call),
    'tools.strict': tools.some(({ strict, written }) => strict === true && !written),
    'tools.format': tools.some(hasGrammar),
    'image_url.detail': isDetailLost(call),
    temperature,
  }
  return Object.entries(isLost).flatMap(([name, one]) => (one ? [clientsName(call, name)] : []))
}

/** A call without a body has no parts that the Messages API does not have: blocks and tools of its own come whole. */
const untranslatedHere = (call: Call): readonly string[] => (call.raw ? untranslatedIn(call) : [])

/** The client's parameters that the Messages API does not have, or the model does not take. */
export const omittedByMessages = (
  call: Call,
  target: Target,
  unsupported: Unsupported,
): readonly string[] => {
  if (isRawFor(call, 'anthropic-messages')) return refusedOf(namesIn(call.raw), unsupported)
  const unknown = isRawFor(call, 'openai-chat')
    ? namesIn(call.raw).filter(name => !TRANSLATED.has(name))
    : untranslatedHere(call)
  return [...new Set([...unknown, ...lostIn(call, claudeModel(target.model), unsupported)])]
}

const isInstruction = (message: Message | undefined): boolean =>
  message?.role === 'system' || message?.role === 'developer'

/** Whether an instruction follows a message of another author. */
const isSystemLate = ({ messages }: Call): boolean =>
  messages.some(
    (message, index) => index > 0 && isInstruction(message) && !isInstruction(messages[index - 1]),
  )

/** Warnings about values that are sent as the nearest ones which the model takes. */
const valueWarnings = (call: Call, model: ClaudeModel, unsupported: Unsupported): readonly CallWarning[] => {
  const thinking = thinkingFor(call, model)
  const warnings = [...temperatureWarnings(call, rangeOf(model, thinking, unsupported))]
  const { reasoningTokens } = call.parameters ?? {}
  const effort = clientsName(call, effortName(call))
  if (thinking.mode === 'low')
    warnings.push({
      param: effort,
      text: 'This model always thinks; it was asked for as little as it can.',
    })
  if (thinking.mode === 'adaptive' && reasoningTokens !== undefined)
    warnings.push({
      param: effort,
      text: `This model takes no number of tokens to think; it got the effort ${thinking.effort}.`,
    })
  const { answer } = limitsFor(call, model, thinking)
  const { maxOutputTokens = 0 } = call
  if (maxOutputTokens > answer)
    warnings.push({
      param: limitName(call),
      text: `This model writes at most ${answer} tokens here; that was used in place of ${maxOutputTokens}.`,
    })
  return warnings
}

/** Warnings about changes that `messagesRequest` makes to a call. @param omitted what it leaves out */
export const messagesWarnings = (
  call: Call,
  target: Target,
  unsupported: Unsupported,
  omitted: readonly string[],
): readonly CallWarning[] => {
  if (isRawFor(call, 'anthropic-messages')) return omitted.map(notSent)
  const warnings = [...valueWarnings(call, claudeModel(target.model), unsupported)]
  if (isSystemLate(call))
    warnings.push({
      text: 'This model takes system messages first only; later ones were moved to the beginning.',
    })
  return [...warnings, ...omissionWarnings(omitted)]
}
