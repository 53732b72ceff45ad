import type { GatewayError } from '../../../errors.ts'
import type { SseEvent } from '../../../sse-parser.ts'
import type { Call, FinishReason, Target, Usage } from '../../types.ts'
import { type Lenient, parseObject } from './lenient.ts'
import type { Fragment } from './streamed-reply.ts'
import { temperatureFor, temperatureWarnings } from './temperature.ts'
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
  error: { type: string; message: string }
}>

const RANGE = { highestTemperature: 1 }

/** Whether the system speaks after somebody else has. */
const isSystemLate = ({ messages }: Call): boolean =>
  messages.some(({ role }, index) => role === 'system' && messages[index - 1]?.role !== 'system' && index > 0)

/** What `messagesRequest` changes about a call. */
export const messagesWarnings = (call: Call, { model }: Target): readonly string[] => {
  const warnings = temperatureWarnings(call, model, RANGE)
  return isSystemLate(call)
    ? [...warnings, 'This model takes system messages first only; later ones were moved to the beginning.']
    : warnings
}

/** Our call in the words of `POST /v1/messages`: what the system says stands apart from the conversation. */
export const messagesRequest = (call: Call, target: Target) => {
  const temperature = temperatureFor(call, target.model, RANGE)
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

const FINISH_REASONS: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
}

const finishOf = (raw: string): Fragment['finish'] => ({ reason: FINISH_REASONS[raw] ?? 'other', raw })

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

const STATUS_OF_ERROR: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  overloaded_error: 529,
}

/** What kind of refusal an error is, in the word OpenAI has for it where Anthropic tells it in a sentence only. */
export const errorCode = (type: string | null | undefined, message: string | null | undefined) => {
  if (message && /prompt is too long/i.test(message)) return 'context_length_exceeded'
  if (type === 'billing_error' || (message && /credit balance is too low/i.test(message)))
    return 'insufficient_quota'
  return type ?? undefined
}

const inBandError = (provider: string, error: NonNullable<Event['error']>): GatewayError =>
  upstreamError({
    provider,
    status: STATUS_OF_ERROR[error.type ?? ''] ?? 500,
    code: errorCode(error.type, error.message),
  })

/** A whole message as one fragment. */
export const messageFragment = (body: string, provider: string): Fragment => {
  const message = parseObject<Message>(body)
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
    const event = parseObject<Event>(data)
    if (!event) return { error: nonsenseError(provider, 'an event is no JSON object') }
    if (event.error) return { error: inBandError(provider, event.error) }
    if (event.type === 'message_stop') return { end: true }
    tokens = merged(merged(tokens, event.message?.usage), event.usage)
    const finish = event.delta?.stop_reason
    return {
      ...(event.delta?.type === 'text_delta' && { text: event.delta.text ?? undefined }),
      ...(finish && { finish: finishOf(finish), usage: usageOf(tokens) }),
    }
  }
}
