import { oneLine } from '../../../raw-json.ts'
import type { SseEvent } from '../../../sse-parser.ts'
import type { ReplyEvent } from '../../types.ts'
import { callsInServerToolUse, withHostedCalls } from '../shared/hosted-calls.ts'
import { errorInAnswer } from '../shared/in-band-error.ts'
import { type Fields, fieldsOf, parseJson, wordIn } from '../shared/lenient.ts'
import { MalformedResponse } from '../shared/malformed.ts'
import { finishOf, partOrError, type ReplyPart } from '../shared/reply-part.ts'
import { readStreamEvent } from '../shared/stream-event.ts'
import { upstreamError } from '../shared/upstream-error.ts'
import { type ReportedUsage, reportedUsage, tokenCount, withBilling } from '../shared/usage.ts'

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
  const counts = reportedUsage({
    inputTokens: isKnown
      ? (tokenCount(input) ?? 0) + (tokenCount(read) ?? 0) + (tokenCount(written) ?? 0)
      : input,
    outputTokens: tokens.output_tokens,
    cachedInputTokens: read === 0 ? undefined : read,
    cacheWriteInputTokens: written === 0 ? undefined : written,
    cacheWrite1hInputTokens: fieldsOf(tokens.cache_creation)?.ephemeral_1h_input_tokens,
    reasoningTokens: fieldsOf(tokens.output_tokens_details)?.thinking_tokens,
  })
  const billed = withBilling(counts, { tier: tokens.service_tier })
  return withHostedCalls(billed, callsInServerToolUse(tokens.server_tool_use))
}

const textOf = (block: Fields | undefined, type: string): string => {
  const { text, type: blockType } = block ?? {}
  if (text === undefined || text === null) return ''
  if (blockType !== undefined && blockType !== null && blockType !== type) return ''
  if (typeof text !== 'string') throw new MalformedResponse('content other than text')
  return text
}

/** How an answer is read. */
export type ReadOptions = Readonly<{
  provider: string
  /** The tool whose input is the answer itself. */
  answerTool?: string | undefined
  /** Whether the messages themselves are passed on. */
  passesOn?: boolean
  /** Masks secrets in the words of an error. */
  redact: (text: string) => string
}>

/** The types of blocks that are read; all others have a meaning of their own. */
const READ_BLOCKS: ReadonlySet<unknown> = new Set([
  'text',
  'thinking',
  'redacted_thinking',
  'tool_use',
  undefined,
  null,
])

/** Names that can stand in a stream's `event` field. */
const EVENT_NAME = /^[\w.-]{1,100}$/

const isUnread = (block: Fields | undefined): boolean => block !== undefined && !READ_BLOCKS.has(block.type)

const wireEvent = (json: string, isContent: boolean, event?: string): ReplyEvent => ({
  type: 'wire',
  format: 'anthropic-messages',
  json: oneLine(json),
  ...(event !== undefined && { event }),
  ...(isContent && { isContent }),
})

/** One content block, or its beginning in a stream, as what it adds to the answer. */
const blockEvents = (block: Fields | undefined, toolIndex: number, answerTool?: string): ReplyEvent[] => {
  if (block?.type === 'thinking') {
    const text = typeof block.thinking === 'string' ? block.thinking : ''
    const signature = wordIn(block.signature)
    return text === '' && signature === undefined
      ? []
      : [{ type: 'reasoning-delta', text, ...(signature !== undefined && { signature }) }]
  }
  if (block?.type === 'redacted_thinking') {
    const redacted = wordIn(block.data)
    return redacted === undefined ? [] : [{ type: 'reasoning-delta', text: '', redacted }]
  }
  if (block?.type === 'tool_use') {
    const { id, name, input } = block
    if (typeof id !== 'string' || typeof name !== 'string')
      throw new MalformedResponse('a tool call without id or name')
    const isEmpty = input === undefined || input === null || Object.keys(input).length === 0
    const json = isEmpty ? '' : JSON.stringify(input)
    if (name === answerTool) return json === '' ? [] : [{ type: 'text-delta', text: json }]
    return [{ type: 'tool-call-delta', index: toolIndex, id, name, arguments: json }]
  }
  const text = textOf(block, 'text')
  return text === '' ? [] : [{ type: 'text-delta', text }]
}

const contentEvents = (content: unknown, answerTool?: string): ReplyEvent[] => {
  if (content === undefined || content === null) return []
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text-delta', text: content }]
  if (!Array.isArray(content)) throw new MalformedResponse('content of an unknown type')
  let calls = 0
  return content.flatMap(block => {
    if (typeof block === 'string') return contentEvents(block)
    const events = blockEvents(fieldsOf(block), calls, answerTool)
    if (events[0]?.type === 'tool-call-delta') calls += 1
    // A call without arguments is an empty object, as text.
    return events.map(event =>
      event.type === 'tool-call-delta' && event.arguments === '' ? { ...event, arguments: '{}' } : event,
    )
  })
}

const finishFor = (raw: string | undefined, answerTool: string | undefined): ReplyPart['finish'] => {
  if (!raw) return undefined
  return raw === 'tool_use' && answerTool !== undefined ? { reason: 'stop', raw } : finishOf(raw)
}

const partOf = (
  message: Fields,
  body: string,
  usage: ReportedUsage | undefined,
  { answerTool, passesOn }: ReadOptions,
): ReplyPart => {
  if (message.stop_reason === undefined) throw new MalformedResponse('missing stop reason')
  const events = contentEvents(message.content, answerTool)
  const raw = wordIn(message.stop_reason)
  if (events.length === 0 && !raw) throw new MalformedResponse('missing message')
  const hasUnread = Array.isArray(message.content) && message.content.some(one => isUnread(fieldsOf(one)))
  return {
    events: passesOn ? [wireEvent(body, hasUnread), ...events] : events,
    finish: finishFor(raw, answerTool),
    usage,
    end: true,
  }
}

/** A whole message as one part. */
export const messagePart = (body: string, options: ReadOptions): ReplyPart => {
  const { provider, redact } = options
  const value = parseJson(body)
  const error = errorInAnswer(value)
  if (error !== undefined) return { error: upstreamError({ provider, body: error, redact }) }
  const message = fieldsOf(value)
  if (!message) throw new MalformedResponse('not a JSON object')
  const tokens = fieldsOf(message.usage)
  const usage = tokens && usageIn(tokens)
  return partOrError(provider, usage, () => partOf(message, body, usage, options))
}

/** Later counts replace earlier ones: they are totals. Null means unknown, and replaces nothing. */
const merged = (known: Fields, reported: Fields | undefined): Fields =>
  reported
    ? { ...known, ...Object.fromEntries(Object.entries(reported).filter(([, count]) => count !== null)) }
    : known

/** Reads the events of one streamed message, whose usage comes in two parts: input first, output last. */
export const messageEvents = ({
  provider,
  answerTool,
  passesOn,
  redact,
}: ReadOptions): ((event: SseEvent) => ReplyPart) => {
  let tokens: Fields = {}
  /** The tool calls by the index of their block. */
  const calls = new Map<unknown, { readonly index: number; readonly isAnswer: boolean; isEmpty: boolean }>()

  const started = (at: unknown, block: Fields | undefined): ReplyEvent[] => {
    const events = blockEvents(block, calls.size, answerTool)
    if (block?.type === 'tool_use') {
      const isEmpty = events.every(event => event.type !== 'tool-call-delta' || event.arguments === '')
      calls.set(at, { index: calls.size, isAnswer: block.name === answerTool, isEmpty })
    }
    return events
  }

  const continued = (at: unknown, delta: Fields): ReplyEvent[] => {
    const { type, partial_json: json, thinking, signature } = delta
    const call = calls.get(at)
    if (type === 'input_json_delta' && call && typeof json === 'string' && json !== '') {
      call.isEmpty = false
      return call.isAnswer
        ? [{ type: 'text-delta', text: json }]
        : [{ type: 'tool-call-delta', index: call.index, arguments: json }]
    }
    if (type === 'thinking_delta' && typeof thinking === 'string' && thinking !== '')
      return [{ type: 'reasoning-delta', text: thinking }]
    if (type === 'signature_delta' && typeof signature === 'string')
      return [{ type: 'reasoning-delta', text: '', signature }]
    const text = textOf(delta, 'text_delta')
    return text === '' ? [] : [{ type: 'text-delta', text }]
  }

  const usageAfter = (reported: unknown): ReportedUsage | undefined => {
    const usage = fieldsOf(reported)
    tokens = merged(tokens, usage)
    return usage && usageIn(tokens)
  }

  /** A call without arguments is an empty object, as text. */
  const stopped = (at: unknown): ReplyEvent[] => {
    const call = calls.get(at)
    if (!call?.isEmpty || call.isAnswer) return []
    return [{ type: 'tool-call-delta', index: call.index, arguments: '{}' }]
  }

  const partOf = (type: string | undefined, fields: Fields): ReplyPart => {
    const delta = fieldsOf(fields.delta)
    switch (type) {
      case 'message_start': {
        const usage = fieldsOf(fieldsOf(fields.message)?.usage)
        // Its output is a placeholder.
        const input = usage && { ...usage, output_tokens: null, output_tokens_details: null }
        return { usage: usageAfter(input) }
      }
      case 'content_block_start':
        return { events: started(fields.index, fieldsOf(fields.content_block)) }
      case 'content_block_delta':
        if (!delta) throw new MalformedResponse('a delta of an unknown type')
        return { events: continued(fields.index, delta) }
      case 'message_delta': {
        const finish = finishFor(wordIn(delta?.stop_reason), answerTool)
        return { usage: usageAfter(fields.usage), finish }
      }
      case 'message_stop':
        return { end: true }
      case 'content_block_stop':
        return { events: stopped(fields.index) }
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
      return { error: upstreamError({ provider, body: error, redact }) }
    const type = wordIn(read.fields.type) ?? wordIn(event.event)
    const part = partOf(type, read.fields)
    const name = wordIn(event.event) ?? type
    if (!passesOn || !name || !EVENT_NAME.test(name)) return part
    const isContent = type === 'content_block_start' && isUnread(fieldsOf(read.fields.content_block))
    const events = [wireEvent(event.data, isContent, name), ...(part.events ?? [])]
    return { ...part, events, ignored: undefined }
  }
}
