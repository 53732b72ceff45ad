import type OpenAI from 'openai'
import type { GatewayError } from '../../../errors.ts'
import type { SseEvent } from '../../../sse-parser.ts'
import type { Usage } from '../../types.ts'
import { finishOf, isFailedFinish } from './finish-reason.ts'
import { errorInAnswer } from './in-band-error.ts'
import { fieldsOf, type Lenient, parseJson } from './lenient.ts'
import type { Fragment } from './streamed-reply.ts'
import type { UpstreamAddress } from './upstream.ts'
import { nonsenseError, upstreamError } from './upstream-error.ts'

/** How vendors of the same protocol differ. */
export type OpenAiDialect = Readonly<{
  provider: string
  /** The path of the vendor's API before `/chat/completions`; `/v1` when absent. */
  vendorPath?: string
  /** Where calls really go, for a vendor with addresses or headers of its own. */
  addressed?: (address: ChatAddress, apiKey: string) => ChatAddress
  /** The highest temperature the vendor takes; 2 when absent. */
  highestTemperature?: number
  /** Tells the usage of a stream unasked, and refuses to be asked. */
  tellsUsageUnasked?: true
  /** What a chunk says in a place of the vendor's own. */
  aside?: (chunk: object) => Readonly<{ usage?: Completion['usage']; error?: InBandError | undefined }>
}>

/** Where chat completions are asked for, before it is one text. */
export type ChatAddress = Readonly<{ url: URL; headers: UpstreamAddress['headers'] }>

export type Completion = Lenient<OpenAI.Chat.ChatCompletion> & InBand
export type Chunk = Lenient<OpenAI.Chat.ChatCompletionChunk> & InBand
/** An error in place of an answer, or in the middle of one. */
type InBand = Readonly<{ error?: InBandError | null }>
export type InBandError = Lenient<{ code: string | number; type: string; message: string }>
/** Some models think aloud before they answer; of the parts only the text is the answer. */
type Content = string | readonly Lenient<{ type: string; text: string }>[] | null | undefined

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

/** An error that came in place of an answer, or in the middle of one. */
export const inBandError = ({ provider }: OpenAiDialect, body: unknown): GatewayError =>
  upstreamError({ provider, body })

const textOf = (content: Content): string | undefined =>
  typeof content === 'string' || !content
    ? (content ?? undefined)
    : content.map(({ type, text }) => (type === 'text' ? (text ?? '') : '')).join('')

/** A whole `chat.completion` as one fragment, so that it can travel like a stream of one piece. */
export const completionFragment = (body: string, dialect: OpenAiDialect): Fragment => {
  const value = parseJson(body)
  const error = errorInAnswer(value)
  if (error) return { error: inBandError(dialect, error) }
  const completion = fieldsOf(value) as Completion | undefined
  if (!completion) return { error: nonsenseError(dialect.provider, 'no JSON object') }
  const choice = completion.choices?.[0]
  const errorInChoice = (choice as InBand | undefined)?.error
  if (errorInChoice) return { error: inBandError(dialect, errorInChoice) }
  const text = textOf(choice?.message?.content) ?? choice?.message?.refusal
  if (typeof text !== 'string' || !choice?.finish_reason)
    return { error: nonsenseError(dialect.provider, 'no message') }
  if (isFailedFinish(choice.finish_reason))
    return { error: inBandError(dialect, { code: choice.finish_reason }) }
  return { text, finish: finishOf(choice.finish_reason), usage: usageOf(completion.usage), end: true }
}

/** One event of a streamed answer. */
export const chunkFragment = ({ data }: SseEvent, dialect: OpenAiDialect): Fragment => {
  if (data === '[DONE]') return { end: true }
  const value = parseJson(data)
  const error = errorInAnswer(value)
  if (error) return { error: inBandError(dialect, error) }
  const chunk = fieldsOf(value) as Chunk | undefined
  if (!chunk) return { error: nonsenseError(dialect.provider, 'an event is no JSON object') }
  const aside = dialect.aside?.(chunk)
  if (aside?.error) return { error: inBandError(dialect, aside.error) }
  const choice = chunk.choices?.[0]
  const raw = choice?.finish_reason
  if (raw && isFailedFinish(raw)) return { error: inBandError(dialect, { code: raw }) }
  return {
    text: textOf(choice?.delta?.content) ?? choice?.delta?.refusal ?? undefined,
    finish: raw ? finishOf(raw) : undefined,
    usage: usageOf(chunk.usage ?? aside?.usage),
  }
}
