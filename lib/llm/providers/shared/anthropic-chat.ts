import type { GatewayError } from '../../../errors.ts'
import type { Call, FinishReason, Target } from '../../types.ts'
import type { Lenient } from './lenient.ts'
import type { Fragment } from './streamed-reply.ts'
import { temperatureFor, temperatureWarnings } from './temperature.ts'
import { upstreamError } from './upstream-error.ts'

type InBandError = Lenient<{ type: string; message: string }>

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

const FINISH_REASONS: ReadonlyMap<string, FinishReason> = new Map(
  Object.entries({
    end_turn: 'stop',
    stop_sequence: 'stop',
    max_tokens: 'length',
    model_context_window_exceeded: 'length',
    tool_use: 'tool_calls',
    refusal: 'content_filter',
  } as const),
)

export const finishOf = (raw: string): Fragment['finish'] => ({
  reason: FINISH_REASONS.get(raw) ?? 'other',
  raw,
})

const STATUS_OF_ERROR: ReadonlyMap<string, number> = new Map(
  Object.entries({
    invalid_request_error: 400,
    authentication_error: 401,
    permission_error: 403,
    not_found_error: 404,
    request_too_large: 413,
    rate_limit_error: 429,
    overloaded_error: 529,
  }),
)

/** What kind of refusal an error is, in the word OpenAI has for it where Anthropic tells it in a sentence only. */
export const errorCode = (type: string | null | undefined, message: string | null | undefined) => {
  if (message && /prompt is too long/i.test(message)) return 'context_length_exceeded'
  if (type === 'billing_error' || (message && /credit balance is too low/i.test(message)))
    return 'insufficient_quota'
  return type ?? undefined
}

/** An error that came in place of an answer, or in the middle of one. */
export const inBandError = (provider: string, error: InBandError): GatewayError =>
  upstreamError({
    provider,
    status: STATUS_OF_ERROR.get(error.type ?? '') ?? 500,
    code: errorCode(error.type, error.message),
  })
