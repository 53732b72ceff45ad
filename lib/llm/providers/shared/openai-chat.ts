import type OpenAI from 'openai'
import type { GatewayError } from '../../../errors.ts'
import type { SseEvent } from '../../../sse-parser.ts'
import type { Call, FinishReason, Target, Usage } from '../../types.ts'
import { type Lenient, parseObject } from './lenient.ts'
import { wordOf } from './refusal.ts'
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
    /** What a chunk says in a place of the vendor's own. */
    aside?: (chunk: object) => Readonly<{ usage?: Completion['usage']; error?: InBandError | undefined }>
  }>

export type Completion = Lenient<OpenAI.Chat.ChatCompletion> & InBand
export type Chunk = Lenient<OpenAI.Chat.ChatCompletionChunk> & InBand
/** An error in place of an answer, or in the middle of one. */
type InBand = Readonly<{ error?: InBandError | null; object?: string | null }>
export type InBandError = Lenient<{ code: string | number; type: string; message: string }>
/** Some models think aloud before they answer; of the parts only the text is the answer. */
type Content = string | readonly Lenient<{ type: string; text: string }>[] | null | undefined

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
  model_length: 'length',
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

const statusOf = ({ code }: InBandError): number => {
  if (typeof code === 'number' && code >= 400 && code < 600) return code
  if (code === 'rate_limit_exceeded') return 429
  return typeof code === 'string' && /^[45]\d\d$/.test(code) ? Number(code) : 500
}

const inBandError = ({ provider }: OpenAiDialect, error: InBandError): GatewayError =>
  upstreamError({ provider, status: statusOf(error), code: wordOf(error) })

/** The error that stands where an answer should: in its field, or with its fields spread out (vLLM). */
const errorIn = (said: InBand): InBandError | undefined =>
  said.error ?? (said.object === 'error' ? (said as InBandError) : undefined)

const textOf = (content: Content): string | undefined =>
  typeof content === 'string' || !content
    ? (content ?? undefined)
    : content.map(({ type, text }) => (type === 'text' ? (text ?? '') : '')).join('')

/** A whole `chat.completion` as one fragment, so that it can travel like a stream of one piece. */
export const completionFragment = (body: string, dialect: OpenAiDialect): Fragment => {
  const completion = parseObject<Completion>(body)
  if (!completion) return { error: nonsenseError(dialect.provider, 'no JSON object') }
  const choice = completion.choices?.[0]
  const error = errorIn(completion) ?? (choice as InBand | undefined)?.error
  if (error) return { error: inBandError(dialect, error) }
  const text = textOf(choice?.message?.content) ?? choice?.message?.refusal
  if (typeof text !== 'string' || !choice?.finish_reason)
    return { error: nonsenseError(dialect.provider, 'no message') }
  return { text, finish: finishOf(choice.finish_reason), usage: usageOf(completion.usage), end: true }
}

/** One event of a streamed answer. */
export const chunkFragment = ({ data }: SseEvent, dialect: OpenAiDialect): Fragment => {
  if (data === '[DONE]') return { end: true }
  const chunk = parseObject<Chunk>(data)
  if (!chunk) return { error: nonsenseError(dialect.provider, 'an event is no JSON object') }
  const aside = dialect.aside?.(chunk)
  const error = errorIn(chunk) ?? aside?.error
  if (error) return { error: inBandError(dialect, error) }
  const choice = chunk.choices?.[0]
  const raw = choice?.finish_reason
  return {
    text: textOf(choice?.delta?.content) ?? choice?.delta?.refusal ?? undefined,
    finish: raw ? finishOf(raw) : undefined,
    usage: usageOf(chunk.usage ?? aside?.usage),
  }
}
