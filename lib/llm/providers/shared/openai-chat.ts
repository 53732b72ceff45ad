import type OpenAI from 'openai'
import type { GatewayError } from '../../../errors.ts'
import type { Call, FinishReason, Target } from '../../types.ts'
import type { Fields, Lenient } from './lenient.ts'
import { wordOf } from './refusal.ts'
import type { Fragment } from './streamed-reply.ts'
import { type TemperatureRange, temperatureFor } from './temperature.ts'
import { upstreamError } from './upstream-error.ts'

type Request = OpenAI.Chat.ChatCompletionCreateParams

/** How vendors of the same protocol differ. */
export type OpenAiDialect = TemperatureRange &
  Readonly<{
    provider: string
    /** Whether this model wants `max_completion_tokens` in place of `max_tokens`; none does when absent. */
    wantsCompletionTokens?: (model: string) => boolean
    /** Tells the usage of a stream unasked, and refuses to be asked. */
    tellsUsageUnasked?: true
    /** What a chunk says in a place of the vendor's own. */
    aside?: (chunk: Fields) => Readonly<{ usage?: unknown; error?: unknown }>
  }>

export type InBandError = Lenient<{ code: string | number; type: string; message: string }>
/** Our call in the words of `POST /chat/completions`. */
export const chatRequest = (call: Call, target: Target, dialect: OpenAiDialect): Request => {
  const temperature = temperatureFor(call, target.model, dialect)
  return {
    model: target.model,
    messages: call.messages as OpenAI.Chat.ChatCompletionMessageParam[],
    ...(dialect.wantsCompletionTokens?.(target.model)
      ? { max_completion_tokens: call.maxOutputTokens }
      : { max_tokens: call.maxOutputTokens }),
    ...(temperature !== undefined && { temperature }),
    ...(call.stream
      ? {
          stream: true as const,
          ...(!dialect.tellsUsageUnasked && { stream_options: { include_usage: true } }),
        }
      : { stream: false as const }),
  }
}

const FINISH_REASONS: ReadonlyMap<string, FinishReason> = new Map(
  Object.entries({
    stop: 'stop',
    length: 'length',
    model_length: 'length',
    content_filter: 'content_filter',
    tool_calls: 'tool_calls',
    function_call: 'tool_calls',
  } as const),
)

export const finishOf = (raw: string): Fragment['finish'] => ({
  reason: FINISH_REASONS.get(raw) ?? 'other',
  raw,
})

const statusOf = ({ code }: InBandError): number => {
  if (typeof code === 'number' && code >= 400 && code < 600) return code
  if (code === 'rate_limit_exceeded') return 429
  return typeof code === 'string' && /^[45]\d\d$/.test(code) ? Number(code) : 500
}

/** An error that came in place of an answer, or in the middle of one. */
export const inBandError = ({ provider }: OpenAiDialect, error: InBandError): GatewayError =>
  upstreamError({ provider, status: statusOf(error), code: wordOf(error) })
