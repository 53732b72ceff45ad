import type { GatewayError } from '../../../errors.ts'
import type { SseEvent } from '../../../sse-parser.ts'
import type { Call, Target, Usage } from '../../types.ts'
import { finishOf } from './finish-reason.ts'
import { errorInAnswer } from './in-band-error.ts'
import type { Refusals } from './learned-refusals.ts'
import { fieldsOf, type Lenient, parseJson } from './lenient.ts'
import type { Fragment } from './streamed-reply.ts'
import { type TemperatureRange, temperatureFor, temperatureWarnings } from './temperature.ts'
import { nonsenseError, upstreamError } from './upstream-error.ts'

type Tokens = {
  input_tokens: number
  output_tokens: number
  cache_read_input_tokens: number
  cache_creation_input_tokens: number
}

type Message = Lenient<{
  content: { type: string; text: string }[]
  stop_reason: string
  usage: Tokens
}>

type Event = Lenient<{
  type: string
  message: { usage: Tokens }
  delta: { type: string; text: string; stop_reason: string }
  usage: Tokens
}>

const rangeOf = (refused: Refusals): TemperatureRange => ({
  highestTemperature: 1,
  isFixed: refused.has('temperature'),
})

/** Whether the system speaks after somebody else has. */
const isSystemLate = ({ messages }: Call): boolean =>
  messages.some(({ role }, index) => role === 'system' && messages[index - 1]?.role !== 'system' && index > 0)

/** What `messagesRequest` changes about a call. */
export const messagesWarnings = (call: Call, _: Target, refused: Refusals): readonly string[] => {
  const warnings = temperatureWarnings(call, rangeOf(refused))
  return isSystemLate(call)
    ? [...warnings, 'This model takes system messages first only; later ones were moved to the beginning.']
    : warnings
}

/** Our call in the words of `POST /v1/messages`: what the system says stands apart from the conversation. */
export const messagesRequest = (call: Call, target: Target, refused: Refusals) => {
  const temperature = temperatureFor(call, rangeOf(refused))
  const system = call.messages.filter(({ role }) => role === 'system').map(({ content }) => content)
  return {
    model: target.model,
    max_tokens: call.maxOutputTokens,
    messages: call.messages.filter(({ role }) => role !== 'system'),
    ...(system.length > 0 && { system: system.join('\n\n') }),
    ...(temperature !== undefined && { temperature }),
    ...(call.stream && { stream: true }),
  }
}

/** Anthropic counts input that its cache read or wrote apart; ours is all of it. */
const usageOf = (tokens: Lenient<Tokens> | null | undefined): Usage | undefined => {
  if (typeof tokens?.input_tokens !== 'number' || typeof tokens.output_tokens !== 'number') return undefined
  const cached = tokens.cache_read_input_tokens ?? 0
  const written = tokens.cache_creation_input_tokens ?? 0
  return {
    inputTokens: tokens.input_tokens + cached + written,
    outputTokens: tokens.output_tokens,
    ...(cached > 0 && { cachedInputTokens: cached }),
    ...(written > 0 && { cacheWriteInputTokens: written }),
  }
}

/** An error that came in place of an answer, or in the middle of one. */
export const inBandError = (provider: string, body: unknown): GatewayError =>
  upstreamError({ provider, body })

/** A whole message as one fragment. */
export const messageFragment = (body: string, provider: string): Fragment => {
  const value = parseJson(body)
  const error = errorInAnswer(value)
  if (error) return { error: inBandError(provider, error) }
  const message = fieldsOf(value) as Message | undefined
  if (!message?.content || !message.stop_reason)
    return { error: nonsenseError(provider, message ? 'no message' : 'no JSON object') }
  const text = message.content.map(block => (block.type === 'text' ? (block.text ?? '') : '')).join('')
  return { text, finish: finishOf(message.stop_reason), usage: usageOf(message.usage), end: true }
}

/** Later counts replace earlier ones: they are totals. What is null is not known, and replaces nothing. */
const merged = (known: Lenient<Tokens>, told: Lenient<Tokens> | null | undefined): Lenient<Tokens> =>
  told
    ? { ...known, ...Object.fromEntries(Object.entries(told).filter(([, count]) => count !== null)) }
    : known

/** Reads the events of one streamed message, whose usage comes in two parts: input first, output last. */
export const messageEvents = (provider: string): ((event: SseEvent) => Fragment) => {
  let tokens: Lenient<Tokens> = {}
  return ({ data }) => {
    const value = parseJson(data)
    const error = errorInAnswer(value)
    if (error) return { error: inBandError(provider, error) }
    const event = fieldsOf(value) as Event | undefined
    if (!event) return { error: nonsenseError(provider, 'an event is no JSON object') }
    if (event.type === 'message_stop') return { end: true }
    tokens = merged(merged(tokens, event.message?.usage), event.usage)
    const finish = event.delta?.stop_reason
    return {
      ...(event.delta?.type === 'text_delta' && { text: event.delta.text ?? undefined }),
      ...(finish && { finish: finishOf(finish), usage: usageOf(tokens) }),
    }
  }
}
