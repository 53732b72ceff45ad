import type OpenAI from 'openai'
import type { GatewayError } from '../../../errors.ts'
import type { SseEvent } from '../../../sse-parser.ts'
import type { Call, FinishReason, Target, Usage } from '../../types.ts'
import { type Lenient, parseObject } from './lenient.ts'
import type { Fragment } from './streamed-reply.ts'
import { type TemperatureRange, temperatureFor } from './temperature.ts'
import { nonsenseError, upstreamError } from './upstream-error.ts'

type Request = OpenAI.Chat.ChatCompletionCreateParams

/** How vendors of the same protocol differ. */
export type OpenAiDialect = TemperatureRange &
  Readonly<{
    provider: string
    /** Whether this model wants `max_completion_tokens` in place of `max_tokens`; none does when absent. */
    wantsCompletionTokens?: (model: string) => boolean
    /** Tells the usage of a stream unasked, and refuses to be asked. */
    tellsUsageUnasked?: true
  }>

type Completion = Lenient<OpenAI.Chat.ChatCompletion> & { error?: InBandError | null }
type Chunk = Lenient<OpenAI.Chat.ChatCompletionChunk> & { error?: InBandError | null }
type InBandError = { code?: string | number | null; type?: string | null }

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

const FINISH_REASONS: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  length: 'length',
  content_filter: 'content_filter',
  tool_calls: 'tool_calls',
  function_call: 'tool_calls',
}

const finishOf = (raw: string): Fragment['finish'] => ({ reason: FINISH_REASONS[raw] ?? 'other', raw })

const usageOf = (usage: Completion['usage']): Usage | undefined => {
  if (typeof usage?.prompt_tokens !== 'number' || typeof usage.completion_tokens !== 'number')
    return undefined
  const cached = usage.prompt_tokens_details?.cached_tokens
  const reasoning = usage.completion_tokens_details?.reasoning_tokens
  return {
    inputTokens: usage.prompt_tokens,
    outputTokens: usage.completion_tokens,
    ...(typeof cached === 'number' && { cachedInputTokens: cached }),
    ...(typeof reasoning === 'number' && { reasoningTokens: reasoning }),
  }
}

const inBandError = (dialect: OpenAiDialect, error: InBandError): GatewayError => {
  const status =
    typeof error.code === 'number' ? error.code : error.code === 'rate_limit_exceeded' ? 429 : 500
  return upstreamError({
    provider: dialect.provider,
    status,
    code: typeof error.code === 'string' ? error.code : error.type,
  })
}

/** A whole `chat.completion` as one fragment, so that it can travel like a stream of one piece. */
export const completionFragment = (body: string, dialect: OpenAiDialect): Fragment => {
  const completion = parseObject<Completion>(body)
  if (!completion) return { error: nonsenseError(dialect.provider, 'no JSON object') }
  if (completion.error) return { error: inBandError(dialect, completion.error) }
  const choice = completion.choices?.[0]
  const text = choice?.message?.content ?? choice?.message?.refusal
  if (typeof text !== 'string' || !choice?.finish_reason)
    return { error: nonsenseError(dialect.provider, 'no message') }
  return { text, finish: finishOf(choice.finish_reason), usage: usageOf(completion.usage), end: true }
}

/** One event of a streamed answer. */
export const chunkFragment = ({ data }: SseEvent, dialect: OpenAiDialect): Fragment => {
  if (data === '[DONE]') return { end: true }
  const chunk = parseObject<Chunk>(data)
  if (!chunk) return { error: nonsenseError(dialect.provider, 'an event is no JSON object') }
  if (chunk.error) return { error: inBandError(dialect, chunk.error) }
  const choice = chunk.choices?.[0]
  const raw = choice?.finish_reason
  return {
    text: choice?.delta?.content ?? choice?.delta?.refusal ?? undefined,
    finish: raw ? finishOf(raw) : undefined,
    usage: usageOf(chunk.usage),
  }
}
