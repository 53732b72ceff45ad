import type { ModelParameters, ResponseFormat, Tool, ToolChoice } from '../../message.ts'
import type { Call, Target } from '../../types.ts'
import {
  effortOf,
  endUser,
  guessFromName,
  omissionWarnings,
  temperatureFor,
  temperatureWarnings,
  thinkingWarnings,
  unknownIn,
} from './chat-request.ts'
import { strictFor, strictWarnings } from './openai-strict.ts'
import { choiceAmong, withProperties } from './openai-tools.ts'
import { assertTranslatable, type CallWarning, clientsName, limitName } from './raw-request.ts'
import { itemsFor } from './responses-items.ts'
import { omittedFrom, type Unsupported } from './unsupported-parameters.ts'

/** OpenAI refuses a lower limit. */
const LOWEST_LIMIT = 16

type Grammar = Readonly<{ type?: unknown; grammar?: object }>

/** A custom tool's format: the members of a grammar stand one level higher than in chat completions. */
const formatFor = (format: unknown): unknown => {
  const { type, grammar } = (format ?? {}) as Grammar
  return grammar ? { type, ...grammar } : format
}

const NO_ARGUMENTS = { type: 'object', properties: {} }

const toolFor = ({ name, description, parameters = NO_ARGUMENTS, strict = false, custom }: Tool): object =>
  custom
    ? { type: 'custom', name, description, format: formatFor(custom.format) }
    : {
        type: 'function',
        name,
        description,
        parameters: withProperties(parameters),
        strict: strictFor(strict, parameters),
      }

const choiceFor = (choice: ToolChoice, tools: readonly Tool[]): string | object => {
  const named = (name: string): object => {
    const isCustom = tools.some(tool => tool.name === name && tool.custom)
    return { type: isCustom ? 'custom' : 'function', name }
  }
  if (choice.type === 'tool') return named(choice.name)
  if (choice.type !== 'allowed') return choice.type
  return { type: 'allowed_tools', mode: choice.mode, tools: choice.names.map(named) }
}

const textFormatFor = (format: ResponseFormat): object =>
  format.type === 'json-schema'
    ? { ...format, type: 'json_schema', strict: strictFor(format.strict, format.schema) }
    : { type: format.type.replace('-', '_') }

/** Parameters of chat completions that Responses do not have. */
const ABSENT = {
  choices: 'n',
  stop: 'stop',
  seed: 'seed',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
} as const satisfies Partial<Record<keyof ModelParameters, string>>

const parametersFor = (parameters: ModelParameters): Readonly<Record<string, unknown>> => {
  const { responseFormat, reasoningEffort, reasoningTokens } = parameters
  const toolChoice = choiceAmong(parameters.toolChoice, parameters.tools ?? [])
  const tools = (parameters.tools ?? []).filter(({ definedBy }) => definedBy === undefined)
  const hasTools = tools.length > 0
  const effort = reasoningEffort ?? effortOf(reasoningTokens)
  const all = {
    top_p: parameters.topP,
    tools: hasTools ? tools.map(toolFor) : undefined,
    tool_choice: hasTools && toolChoice ? choiceFor(toolChoice, tools) : undefined,
    parallel_tool_calls: hasTools ? parameters.parallelToolCalls : undefined,
    text: responseFormat && { format: textFormatFor(responseFormat) },
    reasoning: effort === undefined ? undefined : { effort },
    service_tier: parameters.serviceTier,
    user: parameters.user === undefined ? undefined : endUser(parameters.user),
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

const rangeOf = ({ model }: Target, unsupported: Unsupported) => ({
  isFixed: unsupported.has('temperature') || guessFromName(model).hasFixedTemperature,
})

const refusedIn = ({ parameters = {} }: Call, unsupported: Unsupported): readonly string[] =>
  omittedFrom(Object.keys(parametersFor(parameters)), unsupported)

/**
 * Translates a call of another format to `POST /responses`. The vendor keeps nothing of it.
 * Throws GatewayError INVALID_INPUT for what the format does not have.
 */
export const responsesRequest = (call: Call, target: Target, unsupported: Unsupported): object => {
  assertTranslatable(call)
  const refused = new Set(refusedIn(call, unsupported))
  const temperature = temperatureFor(call, rangeOf(target, unsupported))
  const parameters = Object.entries(parametersFor(call.parameters ?? {}))
  return {
    model: target.model,
    input: itemsFor(call.messages),
    ...(call.maxOutputTokens !== undefined && {
      max_output_tokens: Math.max(call.maxOutputTokens, LOWEST_LIMIT),
    }),
    ...(temperature !== undefined && { temperature }),
    ...Object.fromEntries(parameters.filter(([name]) => !refused.has(name))),
    store: false,
    ...(call.stream && { stream: true }),
  }
}

/** The parameters that such a request leaves out, by the client's names. */
export const responsesOmitted = (call: Call, target: Target, unsupported: Unsupported): readonly string[] => {
  const { parameters = {} } = call
  const absent = Object.entries(ABSENT).flatMap(([own, name]) =>
    parameters[own as keyof typeof ABSENT] === undefined ? [] : [name],
  )
  const names = [...absent, ...refusedIn(call, unsupported)]
  const isTemperatureLost =
    call.temperature !== undefined && temperatureFor(call, rangeOf(target, unsupported)) === undefined
  return [
    ...unknownIn(call),
    ...names.map(name => clientsName(call, name)),
    ...(isTemperatureLost ? ['temperature'] : []),
  ]
}

const limitWarnings = (call: Call): readonly CallWarning[] => {
  const { maxOutputTokens = LOWEST_LIMIT } = call
  if (maxOutputTokens >= LOWEST_LIMIT) return []
  const text = `This model takes a limit of at least ${LOWEST_LIMIT} tokens; that was used in place of ${maxOutputTokens}.`
  return [{ param: limitName(call), text }]
}

/** The warnings about them, and about values that are sent as others. */
export const responsesWarnings = (
  call: Call,
  target: Target,
  unsupported: Unsupported,
  omitted: readonly string[],
): readonly CallWarning[] => [
  ...temperatureWarnings(call, rangeOf(target, unsupported)),
  ...limitWarnings(call),
  ...strictWarnings(call),
  ...thinkingWarnings(call, target),
  ...omissionWarnings(omitted),
]
