import type { SseEvent } from '../../../sse-parser.ts'
import { errorInAnswer } from '../shared/in-band-error.ts'
import { type Fields, fieldsOf, parseJson, wordIn } from '../shared/lenient.ts'
import { MalformedResponse } from '../shared/malformed.ts'
import { finishOf, type ReplyPart } from '../shared/reply-part.ts'
import { readStreamEvent } from '../shared/stream-event.ts'
import { upstreamError } from '../shared/upstream-error.ts'
import { type ReportedUsage, reportedUsage, tokenCount } from '../shared/usage.ts'

const ANSWER_EVENTS: ReadonlySet<string> = new Set([
  '',
  'message',
  'message_start',
  'content_block_start',
  'content_block_delta',
  'content_block_stop',
  'message_delta',
  'message_stop',
])
const isOfAnswer = (name: string): boolean => ANSWER_EVENTS.has(name)

/** Anthropic counts input read from or written to its cache separately; our count includes it. */
const usageIn = (tokens: Fields): ReportedUsage => {
  const { input_tokens: input, cache_read_input_tokens: read, cache_creation_input_tokens: written } = tokens
  const isKnown = tokenCount(input) !== undefined
  return reportedUsage({
    inputTokens: isKnown
      ? (tokenCount(input) ?? 0) + (tokenCount(read) ?? 0) + (tokenCount(written) ?? 0)
      : input,
    outputTokens: tokens.output_tokens,
    cachedInputTokens: read === 0 ? undefined : read,
    cacheWriteInputTokens: written === 0 ? undefined : written,
  })
}

const textOf = (block: Fields | undefined, type: string): string => {
  const { text, type: blockType } = block ?? {}
  if (text === undefined || text === null) return ''
  if (blockType !== undefined && blockType !== null && blockType !== type) return ''
  if (typeof text !== 'string') throw new MalformedResponse('content other than text')
  return text
}

const contentText = (content: unknown): string => {
  if (content === undefined || content === null) return ''
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) throw new MalformedResponse('content of an unknown type')
  return content.map(block => (typeof block === 'string' ? block : textOf(fieldsOf(block), 'text'))).join('')
}

/** A whole message as one fragment. */
export const messagePart = (body: string, provider: string): ReplyPart => {
  const value = parseJson(body)
  const error = errorInAnswer(value)
  if (error !== undefined) return { error: upstreamError({ provider, body: error }) }
  const message = fieldsOf(value)
  if (!message) throw new MalformedResponse('not a JSON object')
  if (message.stop_reason === undefined) throw new MalformedResponse('missing stop reason')
  const text = contentText(message.content)
  const raw = wordIn(message.stop_reason)
  if (text === '' && !raw) throw new MalformedResponse('missing message')
  const usage = fieldsOf(message.usage)
  return { text, finish: raw ? finishOf(raw) : undefined, usage: usage && usageIn(usage), end: true }
}

/** Later counts replace earlier ones: they are totals. Null means unknown, and replaces nothing. */
const merged = (known: Fields, reported: Fields | undefined): Fields =>
  reported
    ? { ...known, ...Object.fromEntries(Object.entries(reported).filter(([, count]) => count !== null)) }
    : known

/** Reads the events of one streamed message, whose usage comes in two parts: input first, output last. */
export const messageEvents = (provider: string): ((event: SseEvent) => ReplyPart) => {
  let tokens: Fields = {}
  const usageAfter = (reported: unknown): ReportedUsage | undefined => {
    const usage = fieldsOf(reported)
    tokens = merged(tokens, usage)
    return usage && usageIn(tokens)
  }

  const partOf = (type: string | undefined, fields: Fields): ReplyPart => {
    const delta = fieldsOf(fields.delta)
    switch (type) {
      case 'message_start': {
        const usage = fieldsOf(fieldsOf(fields.message)?.usage)
        // Its output is a placeholder.
        return { usage: usageAfter(usage && { ...usage, output_tokens: null }) }
      }
      case 'content_block_start':
        return { text: textOf(fieldsOf(fields.content_block), 'text') }
      case 'content_block_delta':
        if (!delta) throw new MalformedResponse('a delta of an unknown type')
        return { text: textOf(delta, 'text_delta') }
      case 'message_delta': {
        const raw = wordIn(delta?.stop_reason)
        return { usage: usageAfter(fields.usage), finish: raw ? finishOf(raw) : undefined }
      }
      case 'message_stop':
        return { end: true }
      case 'content_block_stop':
      case 'ping':
        return {}
      default:
        return { ignored: true }
    }
  }

  return event => {
    const read = readStreamEvent(event, isOfAnswer)
    if (read.kind === 'ignored') return { ignored: true }
    if (read.kind === 'end') return { end: true }
    const error = read.kind === 'error' ? read.error : errorInAnswer(read.fields)
    if (read.kind === 'error' || error !== undefined)
      return { error: upstreamError({ provider, body: error }) }
    return partOf(wordIn(read.fields.type) ?? wordIn(event.event), read.fields)
  }
}
