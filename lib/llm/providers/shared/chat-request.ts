import type OpenAI from 'openai'
import type { Call, Message, Target } from '../../types.ts'
import type { OpenAiVariant } from './openai-variant.ts'
import type { Unsupported } from './unsupported-parameters.ts'

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
export const temperatureWarnings = (call: Call, range: TemperatureRange): readonly string[] => {
  const asked = call.temperature
  const sent = temperatureFor(call, range)
  if (asked === sent || (sent === undefined && asked === DEFAULT_TEMPERATURE)) return []
  return sent === undefined
    ? ['This model takes no temperature; it answered with its own.']
    : [`This model takes a temperature of at most ${sent}; that was used in place of ${asked}.`]
}

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
const guessFromName = (model: string): NameGuess => {
  const isReasoning = REASONING.test(model)
  return {
    usesMaxCompletionTokens: isReasoning,
    hasFixedTemperature: isReasoning && !CHAT_VARIANT.test(model),
  }
}

type Request = OpenAI.Chat.ChatCompletionCreateParams
type ChatMessage = Readonly<{ role: Message['role'] | 'developer'; content: string }>
type LimitField = 'max_tokens' | 'max_completion_tokens'

/** The field for the output token limit: the guessed one, or the other one where it is refused. */
const limitFieldFor = (model: string, unsupported: Unsupported): LimitField | undefined => {
  const { usesMaxCompletionTokens } = guessFromName(model)
  const fields: readonly LimitField[] = usesMaxCompletionTokens
    ? ['max_completion_tokens', 'max_tokens']
    : ['max_tokens', 'max_completion_tokens']
  return fields.find(field => !unsupported.has(field))
}

const rangeOf = ({ model }: Target, variant: OpenAiVariant, unsupported: Unsupported): TemperatureRange => ({
  ...variant,
  isFixed: guessFromName(model).hasFixedTemperature || unsupported.has('temperature'),
})

/** Merges system messages into the user's message after them, or into a separate one where none follows. */
const withoutSystemRole = (messages: readonly Message[]): ChatMessage[] => {
  const found: ChatMessage[] = []
  let waiting: string[] = []
  for (const { role, content } of messages) {
    if (role === 'system') {
      waiting.push(content)
      continue
    }
    if (role === 'user') {
      found.push({ role, content: [...waiting, content].join('\n\n') })
      waiting = []
    } else found.push({ role, content })
  }
  if (waiting.length > 0) found.push({ role: 'user', content: waiting.join('\n\n') })
  return found
}

const messagesFor = ({ messages }: Call, unsupported: Unsupported): readonly ChatMessage[] => {
  if (!unsupported.has('system') || !messages.some(({ role }) => role === 'system')) return messages
  if (unsupported.has('developer')) return withoutSystemRole(messages)
  return messages.map(({ role, content }) => ({ role: role === 'system' ? 'developer' : role, content }))
}

/** Translates a call to `POST /chat/completions`, without parameters that the model is known to refuse. */
export const chatRequest = (
  call: Call,
  target: Target,
  variant: OpenAiVariant,
  unsupported: Unsupported,
): Request => {
  const temperature = temperatureFor(call, rangeOf(target, variant, unsupported))
  const limitField = limitFieldFor(target.model, unsupported)
  const isStream = call.stream && !unsupported.has('stream')
  const wantsUsage = isStream && !variant.alwaysSendsUsage && !unsupported.has('stream_options')
  return {
    model: target.model,
    messages: messagesFor(call, unsupported) as OpenAI.Chat.ChatCompletionMessageParam[],
    ...(limitField && { [limitField]: call.maxOutputTokens }),
    ...(temperature !== undefined && { temperature }),
    stream: isStream,
    ...(wantsUsage && { stream_options: { include_usage: true } }),
  }
}

/** Warnings about parts of the call that the request does not honour. */
export const chatWarnings = (
  call: Call,
  target: Target,
  variant: OpenAiVariant,
  unsupported: Unsupported,
): readonly string[] => {
  const warnings = [...temperatureWarnings(call, rangeOf(target, variant, unsupported))]
  if (!limitFieldFor(target.model, unsupported))
    warnings.push(
      `This model takes no limit for its answer; that of ${call.maxOutputTokens} tokens was not sent.`,
    )
  if (call.stream && unsupported.has('stream'))
    warnings.push('This model does not stream; its answer came in one piece.')
  const hasSystem = call.messages.some(({ role }) => role === 'system')
  if (hasSystem && unsupported.has('system') && unsupported.has('developer'))
    warnings.push('This model takes no system messages; they were sent as part of the user’s.')
  return warnings
}
