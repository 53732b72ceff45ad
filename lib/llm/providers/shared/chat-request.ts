import { hash } from 'node:crypto'
import type OpenAI from 'openai'
import { writeJson } from '../../../long-json.ts'
import type { Steps } from '../../../loop-turns.ts'
import { memberIn } from '../../../raw-json.ts'
import type { Call, RawRequest, Target } from '../../types.ts'
import { fieldsOf, parseJson } from './lenient.ts'
import {
  assertFilesTaken,
  instructionRole,
  lacksExtraContent,
  type MessageForm,
  messagesFor,
  withBareAnswers,
  withExtraContent,
} from './openai-messages.ts'
import { strictWarnings } from './openai-strict.ts'
import { choiceAmong, responseFormatFor, toolChoiceFor, toolsFor } from './openai-tools.ts'
import type { OpenAiVariant } from './openai-variant.ts'
import {
  assertTranslatable,
  type CallWarning,
  clientsName,
  isRawFor,
  limitName,
  namesIn,
  rawRequestInTurns,
  untranslatedIn,
  withInstructionRole,
} from './raw-request.ts'
import { type LimitField, omittedFrom, type Unsupported } from './unsupported-parameters.ts'

/** How a model handles temperatures; ours range from 0 to 2. */
export type TemperatureRange = Readonly<{
  /** The highest one it accepts; 2 when absent. */
  highestTemperature?: number
  /** It accepts only its default. */
  isFixed?: boolean
}>

const DEFAULT_TEMPERATURE = 1

/** The temperature to send: the requested one, the nearest accepted one, or none. */
export const temperatureFor = (
  { temperature }: Call,
  { highestTemperature = 2, isFixed }: TemperatureRange,
): number | undefined =>
  temperature === undefined || isFixed ? undefined : Math.min(temperature, highestTemperature)

/** The warning where it differs from the requested one. */
export const temperatureWarnings = (call: Call, range: TemperatureRange): readonly CallWarning[] => {
  const asked = call.temperature
  const sent = temperatureFor(call, range)
  if (asked === sent || (sent === undefined && asked === DEFAULT_TEMPERATURE)) return []
  const text =
    sent === undefined
      ? 'This model takes no temperature; it answered with its own.'
      : `This model takes a temperature of at most ${sent}; that was used in place of ${asked}.`
  return [{ param: 'temperature', text }]
}

/** The warning about a parameter that a request leaves out. */
export const notSent = (name: string): CallWarning => ({
  param: name,
  text: `This model takes no ${name}; it was not sent.`,
})

/** The warnings about what a request leaves out; a temperature has one of its own. */
export const omissionWarnings = (omitted: readonly string[]): readonly CallWarning[] =>
  omitted.filter(name => name !== 'temperature').map(notSent)

/** Parameters that a model accepts, guessed from its name. The model's errors correct a wrong guess. */
type NameGuess = Readonly<{
  /** Takes `max_completion_tokens` in place of `max_tokens`. */
  usesMaxCompletionTokens: boolean
  /** Accepts only its default temperature. */
  hasFixedTemperature: boolean
}>

/**
 * OpenAI's reasoning models under any provider's name of them: `o3-mini`, `gpt-5.1-2025-11-13`, `openai/gpt-5`,
 * `ft:o4-mini-2025-04-16:acme::abc123`. Source: OpenAI, "Reasoning models".
 */
const REASONING = /(?:^(?:[\w-]+:)?|\/)(?:o[1-9]|gpt-5)(?=$|[-.:@])/i

/** Chat variants without reasoning accept a temperature: `gpt-5-chat-latest`. */
const CHAT_VARIANT = /(?:^(?:[\w-]+:)?|\/)gpt-5[\w.]*-chat(?=$|[-.:@])/i

/** The first guess of a model's parameters. */
export const guessFromName = (model: string): NameGuess => {
  const isReasoning = REASONING.test(model)
  return {
    usesMaxCompletionTokens: isReasoning,
    hasFixedTemperature: isReasoning && !CHAT_VARIANT.test(model),
  }
}

type Request = OpenAI.Chat.ChatCompletionCreateParams

/** The field for the output token limit: the vendor's or the guessed one, or the other one where it is refused. */
const limitFieldFor = (
  model: string,
  variant: OpenAiVariant,
  unsupported: Unsupported,
): LimitField | undefined => {
  const isNewer = !variant.limitField && guessFromName(model).usesMaxCompletionTokens
  const fields: readonly LimitField[] = isNewer
    ? ['max_completion_tokens', 'max_tokens']
    : ['max_tokens', 'max_completion_tokens']
  return fields.find(field => !unsupported.has(field))
}

/** A body that passes on keeps its temperature until the model refuses it. */
const rangeOf = (
  call: Call,
  { model }: Target,
  variant: OpenAiVariant,
  unsupported: Unsupported,
): TemperatureRange => {
  const isRefused = unsupported.has('temperature')
  if (isRawFor(call, 'openai-chat'))
    return { isFixed: isRefused, highestTemperature: Number.POSITIVE_INFINITY }
  return { ...variant, isFixed: isRefused || guessFromName(model).hasFixedTemperature }
}

/** The efforts of reasoning that a number of tokens is enough for. */
const TOKENS_OF_LOW = 2_048
const TOKENS_OF_MEDIUM = 12_288

/** The effort of reasoning that a number of tokens stands for. */
export const effortOf = (reasoningTokens: number | undefined): string | undefined => {
  if (reasoningTokens === undefined) return undefined
  if (reasoningTokens <= TOKENS_OF_LOW) return 'low'
  return reasoningTokens <= TOKENS_OF_MEDIUM ? 'medium' : 'high'
}

/** OpenAI refuses longer names of users. */
const LONGEST_USER = 64

/** A user's name that OpenAI takes: the same one, or a hash of it. */
export const endUser = (user: string): string => (user.length > LONGEST_USER ? hash('sha256', user) : user)

/** The parameters that the protocol has by the same meaning. */
const parametersFor = ({ parameters = {} }: Call): Partial<Request> => {
  const { tools, responseFormat, ...others } = parameters
  const sentTools = tools && toolsFor(tools)
  const toolChoice = choiceAmong(others.toolChoice, tools ?? [])
  // Without a tool there is nothing to choose.
  const isLeftWithout = tools !== undefined && !sentTools
  const all = {
    top_p: others.topP,
    n: others.choices,
    stop: others.stop as string[] | undefined,
    seed: others.seed,
    frequency_penalty: others.frequencyPenalty,
    presence_penalty: others.presencePenalty,
    tools: sentTools as Request['tools'],
    tool_choice: (isLeftWithout || !toolChoice
      ? undefined
      : toolChoiceFor(toolChoice, tools ?? [])) as Request['tool_choice'],
    parallel_tool_calls: isLeftWithout ? undefined : others.parallelToolCalls,
    response_format: (responseFormat && responseFormatFor(responseFormat)) as Request['response_format'],
    reasoning_effort: (others.reasoningEffort ??
      effortOf(others.reasoningTokens)) as Request['reasoning_effort'],
    service_tier: others.serviceTier as Request['service_tier'],
    user: others.user === undefined ? undefined : endUser(others.user),
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

const withoutMembers = (members: object, names: ReadonlySet<string>): object =>
  Object.fromEntries(Object.entries(members).filter(([name]) => !names.has(name)))

const namesOf = (call: Call): readonly string[] => {
  if (isRawFor(call, 'openai-chat')) return namesIn(call.raw)
  return call.parameters ? Object.keys(parametersFor(call)) : []
}

/** What OpenAI's formats do not have: parts of a body in another format, and parameters of a call without a body. */
export const unknownIn = (call: Call): readonly string[] =>
  call.raw || call.parameters?.topK === undefined ? untranslatedIn(call) : [...untranslatedIn(call), 'top_k']

/** The parameters of a call that its request leaves out. */
export const omittedParameters = (
  call: Call,
  target: Target,
  variant: OpenAiVariant,
  unsupported: Unsupported,
) => {
  const refused = omittedFrom(namesOf(call), unsupported).map(name => clientsName(call, name))
  const omitted = [...unknownIn(call), ...refused]
  const range = rangeOf(call, target, variant, unsupported)
  if (call.temperature !== undefined && temperatureFor(call, range) === undefined) omitted.push('temperature')
  return omitted
}

const formOf = (variant: OpenAiVariant, model: string, unsupported: Unsupported): MessageForm => ({
  ...variant.messageForm,
  role: instructionRole(unsupported),
  extraContentOf: variant.extraContentOf?.(model),
  takesBareAnswers: unsupported.has('messages.assistant'),
})

type MessageChange = (written: string) => Steps<string>

function* changedBy(changes: readonly MessageChange[], written: string): Steps<string> {
  let changed = written
  for (const change of changes) changed = yield* change(changed)
  return changed
}

/** A client's messages as the model takes them, as JSON; undefined where they stay as they are written. */
const changedMessages = (
  { messages, raw }: Call & Readonly<{ raw: RawRequest }>,
  { knowsDeveloper }: OpenAiVariant,
  unsupported: Unsupported,
  form: MessageForm,
): Steps<string> | undefined => {
  const { role, fitting, extraContentOf, takesBareAnswers } = form
  const roles = new Set(messages.map(message => message.role))
  const isUnknownRole =
    (roles.has('developer') && !knowsDeveloper) || (roles.has('system') && unsupported.has('system'))
  if (isUnknownRole && !role) return writeJson(messagesFor(messages, form))
  const changes: MessageChange[] = []
  if (fitting && fitting.messages(messages) !== messages) changes.push(fitting.json)
  if (extraContentOf && lacksExtraContent(messages, extraContentOf))
    changes.push(written => withExtraContent(written, extraContentOf))
  if (takesBareAnswers) changes.push(withBareAnswers)
  if (isUnknownRole && role) changes.push(written => withInstructionRole(written, role))
  return changes.length > 0 ? changedBy(changes, memberIn(raw.members, 'messages') ?? '[]') : undefined
}

/** The client's own body, where it has the same format. */
const passedOn = (
  call: Call & Readonly<{ raw: RawRequest }>,
  { model }: Target,
  variant: OpenAiVariant,
  unsupported: Unsupported,
  stream: boolean,
): string | Promise<string> => {
  const isRenamed =
    variant.limitField !== undefined ||
    guessFromName(model).usesMaxCompletionTokens ||
    unsupported.has('max_tokens') ||
    unsupported.has('max_completion_tokens')
  const messages = changedMessages(call, variant, unsupported, formOf(variant, model, unsupported))
  const refused: ReadonlySet<string> = unsupported
  const changes = {
    model,
    stream,
    ...(isRenamed && { limitField: limitFieldFor(model, variant, unsupported) }),
    omitted: (name: string) => refused.has(name),
    wantsUsage: stream && !variant.alwaysSendsUsage && !unsupported.has('stream_options'),
  }
  return rawRequestInTurns(call.raw, changes, messages)
}

/**
 * Translates a call to `POST /chat/completions`, without parameters that the model is known to refuse. JSON text where
 * the client's own body passes on.
 */
export const chatRequest = (
  call: Call,
  target: Target,
  variant: OpenAiVariant,
  unsupported: Unsupported,
): object | string | Promise<string> => {
  const isStream = call.stream && !unsupported.has('stream')
  if (isRawFor(call, 'openai-chat')) return passedOn(call, target, variant, unsupported, isStream)
  assertTranslatable(call)
  assertFilesTaken(call, variant.messageForm)
  const temperature = temperatureFor(call, rangeOf(call, target, variant, unsupported))
  const limitField = limitFieldFor(target.model, variant, unsupported)
  const omitted = new Set(omittedFrom(namesOf(call), unsupported))
  const wantsUsage = isStream && !variant.alwaysSendsUsage && !unsupported.has('stream_options')
  return {
    model: target.model,
    messages: messagesFor(call.messages, formOf(variant, target.model, unsupported)),
    ...(limitField && call.maxOutputTokens !== undefined && { [limitField]: call.maxOutputTokens }),
    ...(temperature !== undefined && { temperature }),
    ...(call.parameters && withoutMembers(parametersFor(call), omitted)),
    stream: isStream,
    ...(wantsUsage && { stream_options: { include_usage: true } }),
  }
}

/** The warning where a client of Anthropic's format wants no reasoning of a model that decides about it itself. */
export const thinkingWarnings = (call: Call, { model }: Target): readonly CallWarning[] => {
  if (!isRawFor(call, 'anthropic-messages') || !guessFromName(model).hasFixedTemperature) return []
  const thinking = fieldsOf(parseJson(memberIn(call.raw.members, 'thinking') ?? 'null'))
  if (thinking?.type !== 'disabled') return []
  return [
    { param: 'thinking', text: 'This model was not asked to leave reasoning out; it decides that itself.' },
  ]
}

/** Warnings about parts of the call that the request does not honour. @param omitted what it leaves out */
export const chatWarnings = (
  call: Call,
  target: Target,
  variant: OpenAiVariant,
  unsupported: Unsupported,
  omitted: readonly string[],
): readonly CallWarning[] => {
  const warnings = [...temperatureWarnings(call, rangeOf(call, target, variant, unsupported))]
  if (call.maxOutputTokens !== undefined && !limitFieldFor(target.model, variant, unsupported))
    warnings.push({
      param: limitName(call),
      text: `This model takes no limit for its answer; that of ${call.maxOutputTokens} tokens was not sent.`,
    })
  if (call.stream && unsupported.has('stream'))
    warnings.push({ text: 'This model does not stream; its answer came in one piece.' })
  const hasSystem = call.messages.some(({ role }) => role === 'system')
  if (hasSystem && unsupported.has('system') && unsupported.has('developer'))
    warnings.push({ text: 'This model takes no system messages; they were sent as part of the user’s.' })
  return [
    ...warnings,
    ...(call.parameters ? strictWarnings(call) : []),
    ...thinkingWarnings(call, target),
    ...omissionWarnings(omitted),
  ]
}
