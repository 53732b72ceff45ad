import type { SseEvent } from '../../../sse-parser.ts'
import { describesError, errorInAnswer } from './in-band-error.ts'
import { type Fields, fieldsOf, parseJson, wordIn } from './lenient.ts'
import { MalformedResponse } from './malformed.ts'
import type { OpenAiVariant } from './openai-variant.ts'
import { finishOf, isFailedFinish, type ReplyPart } from './reply-part.ts'
import { readStreamEvent } from './stream-event.ts'
import { upstreamError } from './upstream-error.ts'
import { type ReportedUsage, reportedUsage, withTotal } from './usage.ts'

const TEXT_PARTS: ReadonlySet<unknown> = new Set(['text', 'output_text', undefined, null])
/** Answers with these finish reasons may have no message at all (Gemini, vLLM). */
const ENDS_WITHOUT_MESSAGE: ReadonlySet<unknown> = new Set(['length', 'content_filter', 'tool_calls'])
/** Whether an event of that name holds a chunk; the protocol itself names none. */
const isOfAnswer = (name: string): boolean => name === '' || name === 'message'

const partText = (part: unknown): string => {
  if (typeof part === 'string') return part
  const fields = fieldsOf(part)
  if (!fields && part !== null) throw new MalformedResponse('a content part is not an object')
  return TEXT_PARTS.has(fields?.type) ? (wordIn(fields?.text) ?? '') : ''
}

/** Content as text. Some models put reasoning in parts too; only text parts belong to the answer. */
const contentText = (content: unknown): string => {
  if (content === undefined || content === null) return ''
  if (typeof content === 'string') return content
  if (Array.isArray(content)) return content.map(partText).join('')
  if (typeof fieldsOf(content)?.text === 'string') return partText(content)
  throw new MalformedResponse('content other than text')
}

type DeltaText = Readonly<{ text: string; refused?: true }>

/** The text of a message or a delta. A refusal is text too: it is the model's answer. */
const textOf = (message: Fields | undefined): DeltaText => {
  const content = contentText(message?.content)
  if (message?.refusal === undefined || message.refusal === null) return { text: content }
  const refusal = contentText(message?.refusal)
  return { text: content + refusal, ...(content === '' && refusal !== '' && { refused: true as const }) }
}

const usageIn = (value: unknown): ReportedUsage | undefined => {
  const usage = fieldsOf(value)
  if (!usage) return undefined
  const input = fieldsOf(usage.prompt_tokens_details)
  const output = fieldsOf(usage.completion_tokens_details)
  const counts = reportedUsage({
    inputTokens: usage.prompt_tokens,
    outputTokens: usage.completion_tokens,
    // DeepSeek; OpenRouter and LiteLLM for cache writes.
    cachedInputTokens: input?.cached_tokens ?? usage.prompt_cache_hit_tokens,
    cacheWriteInputTokens: input?.cache_write_tokens ?? input?.cache_creation_tokens,
    reasoningTokens: output?.reasoning_tokens,
  })
  return withTotal(counts, usage.total_tokens)
}

/** A field that is an object or absent. @throws MalformedResponse where it is anything else. */
const optionalFields = (value: unknown, name: string): Fields | undefined => {
  if (value === undefined || value === null) return undefined
  const fields = fieldsOf(value)
  if (!fields) throw new MalformedResponse(`${name} of an unknown type`)
  return fields
}

/** The choice of that index, or else the first one. Only one is requested; some vendors send several anyway. */
const choiceIn = ({ choices }: Fields, index: number): Fields | undefined => {
  if (choices === undefined || choices === null) return undefined
  if (!Array.isArray(choices)) throw new MalformedResponse('choices of an unknown type')
  const choice = choices.length > 1 ? choices.find(one => fieldsOf(one)?.index === index) : undefined
  return optionalFields(choice ?? choices[0], 'a choice')
}

/** The error in place of an answer: beside it, in its choice, or as its finish reason. */
const errorIn = (body: Fields, choice: Fields | undefined, vendorExtras?: unknown): unknown => {
  const beside = choice?.error ?? vendorExtras ?? undefined
  const named = errorInAnswer(body) ?? (describesError(beside) ? beside : undefined)
  const raw = wordIn(choice?.finish_reason)
  return named ?? (raw && isFailedFinish(raw) ? { code: raw } : undefined)
}

/** A whole `chat.completion` as one fragment, so that it is handled like a stream of one piece. */
export const completionPart = (body: string, variant: OpenAiVariant): ReplyPart => {
  const value = parseJson(body)
  const completion = fieldsOf(Array.isArray(value) ? value[0] : value)
  if (!completion) throw new MalformedResponse('not a JSON object')
  const choice = choiceIn(completion, 0)
  const error = errorIn(completion, choice)
  if (error !== undefined) return { error: upstreamError({ provider: variant.provider, body: error }) }
  const message = optionalFields(choice?.message, 'a message')
  const raw = wordIn(choice?.finish_reason)
  // Null or empty means that the vendor gives no reason; without the field it may be a partial answer.
  if (choice && choice.finish_reason === undefined) throw new MalformedResponse('missing finish reason')
  const answer = textOf(message)
  if (answer.text === '' && (!raw || (!message && !ENDS_WITHOUT_MESSAGE.has(finishOf(raw).reason))))
    throw new MalformedResponse('missing message')
  return { ...answer, finish: raw ? finishOf(raw) : undefined, usage: usageIn(completion.usage), end: true }
}

/** Reads the events of one streamed answer. */
export const chunkReader = ({
  provider,
  vendorExtras: vendorExtrasOf,
}: OpenAiVariant): ((event: SseEvent) => ReplyPart) => {
  let index: number | undefined
  let hasText = false

  /** The chunk's part of the choice that is read: the first to arrive. */
  const followedChoice = (chunk: Fields): Fields | undefined => {
    const choice = choiceIn(chunk, index ?? 0)
    if (typeof choice?.index !== 'number') return choice
    index ??= choice.index
    return choice.index === index ? choice : undefined
  }

  /** Relays that cannot stream send a whole answer as one event; others repeat the whole beside or after its deltas. */
  const textIn = (choice: Fields | undefined): DeltaText => {
    const answer = textOf(optionalFields(choice?.delta ?? (hasText ? undefined : choice?.message), 'a delta'))
    if (answer.text !== '') hasText = true
    return answer
  }

  return event => {
    const read = readStreamEvent(event, isOfAnswer)
    if (read.kind === 'ignored') return { ignored: true }
    if (read.kind === 'end') return { end: true }
    if (read.kind === 'error') return { error: upstreamError({ provider, body: read.error }) }
    const chunk = read.fields
    const vendorExtras = vendorExtrasOf?.(chunk)
    const choice = followedChoice(chunk)
    const error = errorIn(chunk, choice, vendorExtras?.error)
    if (error !== undefined) return { error: upstreamError({ provider, body: error }) }
    const raw = wordIn(choice?.finish_reason)
    const { text, refused } = textIn(choice)
    return {
      text,
      refused,
      finish: raw ? finishOf(raw) : undefined,
      usage: usageIn(chunk.usage) ?? usageIn(vendorExtras?.usage),
      ignored: chunk.choices === undefined && chunk.usage === undefined ? true : undefined,
    }
  }
}
