import { oneLine, withInnerMember } from '../../../raw-json.ts'
import type { SseEvent } from '../../../sse-parser.ts'
import type { ReplyEvent } from '../../types.ts'
import { callsInResponse, withHostedCalls } from './hosted-calls.ts'
import { errorInAnswer } from './in-band-error.ts'
import { type Fields, fieldsOf, listIn, parseJson, wordIn } from './lenient.ts'
import { MalformedResponse } from './malformed.ts'
import { finishOf, partOrError, type ReplyPart } from './reply-part.ts'
import { readStreamEvent } from './stream-event.ts'
import { upstreamError } from './upstream-error.ts'
import { countsIn, type ReportedUsage, withBilling } from './usage.ts'

const usageIn = (response: Fields): ReportedUsage | undefined => {
  const usage = fieldsOf(response.usage)
  const counts = usage && withBilling(countsIn(usage), { tier: response.service_tier })
  return counts && withHostedCalls(counts, callsInResponse(response))
}

/** The tool calls of a response: their index among the calls, by their index among all items. */
class CallIndexes {
  readonly #byOutputIndex = new Map<unknown, number>()

  isKnown(outputIndex: unknown): boolean {
    return this.#byOutputIndex.has(outputIndex)
  }

  of(outputIndex: unknown): number {
    const index = this.#byOutputIndex.get(outputIndex) ?? this.#byOutputIndex.size
    this.#byOutputIndex.set(outputIndex, index)
    return index
  }
}

/** The beginning of a tool call; empty for any other item. */
const callBegun = (item: Fields, outputIndex: unknown, calls: CallIndexes): readonly ReplyEvent[] => {
  const [id, name] = [wordIn(item.call_id), wordIn(item.name)]
  const isCustom = item.type === 'custom_tool_call'
  if ((item.type !== 'function_call' && !isCustom) || id === undefined || name === undefined) return []
  const input = wordIn(isCustom ? item.input : item.arguments) ?? ''
  const index = calls.of(outputIndex)
  return [{ type: 'tool-call-delta', index, id, name, arguments: input, ...(isCustom && { isCustom }) }]
}

const reasoningIn = (item: Fields): readonly ReplyEvent[] => {
  const text = [...listIn(item.summary), ...listIn(item.content)]
    .map(part => wordIn(part.text) ?? '')
    .join('')
  return text === '' ? [] : [{ type: 'reasoning-delta', text }]
}

const contentIn = (item: Fields): readonly ReplyEvent[] =>
  listIn(item.content).flatMap((part): ReplyEvent[] => {
    const text = wordIn(part.text)
    const refusal = wordIn(part.refusal)
    if (part.type === 'refusal')
      return refusal === undefined ? [] : [{ type: 'refusal-delta', text: refusal }]
    return text === undefined ? [] : [{ type: 'text-delta', text }]
  })

/** What the items of a whole response say. */
const eventsOf = (output: unknown): readonly ReplyEvent[] => {
  const calls = new CallIndexes()
  return listIn(output).flatMap((item, index) => {
    if (item.type === 'message') return contentIn(item)
    return item.type === 'reasoning' ? reasoningIn(item) : callBegun(item, index, calls)
  })
}

/** Why a response ended. A whole one may not have ended yet, where it runs in the background. */
const finishIn = (response: Fields, hasCalls: boolean): ReplyPart['finish'] => {
  const status = wordIn(response.status) ?? 'completed'
  const reason = wordIn(fieldsOf(response.incomplete_details)?.reason)
  if (reason !== undefined) return finishOf(reason)
  if (status === 'completed' && hasCalls) return { reason: 'tool_calls', raw: status }
  return finishOf(status)
}

const isCall = ({ type }: ReplyEvent): boolean => type === 'tool-call-delta'

/** The provider that sent a response; `redact` masks secrets in the words of an error. */
type ReadOptions = Readonly<{ provider: string; redact: (text: string) => string }>

/** A whole response as one part. */
export const responsePart = (body: string, options: ReadOptions): ReplyPart => {
  const response = fieldsOf(parseJson(body))
  if (!response) throw new MalformedResponse('not a JSON object')
  const error = errorInAnswer(response) ?? (response.status === 'failed' ? response : undefined)
  const usage = usageIn(response)
  if (error !== undefined) return { error: upstreamError({ ...options, body: error }), usage }
  return partOrError(options.provider, usage, () => {
    if (!Array.isArray(response.output)) throw new MalformedResponse('missing output')
    const events = eventsOf(response.output)
    return {
      events: [{ type: 'wire', format: 'openai-responses', json: body }, ...events],
      finish: finishIn(response, events.some(isCall)),
      usage,
      end: true,
    }
  })
}

const isOfAnswer = (name: string): boolean =>
  name === '' || name === 'message' || name.startsWith('response.')

const wireOf = (name: string, json: string, isContent: boolean): ReplyEvent => ({
  type: 'wire',
  format: 'openai-responses',
  event: name,
  json: oneLine(json),
  ...(isContent && { isContent }),
})

const DELTAS: ReadonlyMap<string, 'text-delta' | 'refusal-delta' | 'reasoning-delta'> = new Map([
  ['response.output_text.delta', 'text-delta'],
  ['response.refusal.delta', 'refusal-delta'],
  ['response.reasoning_summary_text.delta', 'reasoning-delta'],
  ['response.reasoning_text.delta', 'reasoning-delta'],
])
const CALL_DELTAS: ReadonlySet<string> = new Set([
  'response.function_call_arguments.delta',
  'response.custom_tool_call_input.delta',
])
const ENDS: ReadonlySet<string> = new Set(['response.completed', 'response.incomplete'])
const FAILED = 'response.failed'

/** A JSON value's text with each of its strings redacted. */
const redactedJson = (json: string, redact: (text: string) => string): string =>
  JSON.stringify(JSON.parse(json, (_, value) => (typeof value === 'string' ? redact(value) : value)))

/** A failed response's event without secrets in the words of its error; everything else as it was written. */
const withoutSecrets = (json: string, redact: (text: string) => string): string =>
  withInnerMember(json, 'response', 'error', written => redactedJson(written, redact))

/** The types of items that are read; all others are calls of the upstream's own tools, and the like. */
const READ_ITEMS: ReadonlySet<unknown> = new Set([
  'message',
  'reasoning',
  'function_call',
  'custom_tool_call',
])

/** Names of events about such an item: `response.web_search_call.searching`, `response.audio.delta`. */
const OF_UNREAD_ITEM = /_call\.\w+$|\.delta$/

/** Whether an event is a part of the answer that is not read. */
const isUnread = (type: string, fields: Fields): boolean => {
  if (type === 'response.output_item.added') return !READ_ITEMS.has(fieldsOf(fields.item)?.type)
  return OF_UNREAD_ITEM.test(type) && !DELTAS.has(type) && !CALL_DELTAS.has(type)
}

/** Reads the events of one streamed response. Each stands before what it says. */
export const responseEvents = (options: ReadOptions): ((event: SseEvent) => ReplyPart) => {
  const calls = new CallIndexes()
  let [hasContent, hasCalls] = [false, false]

  const said = (type: string, fields: Fields): readonly ReplyEvent[] => {
    const text = wordIn(fields.delta)
    const delta = DELTAS.get(type)
    if (delta) return text === undefined ? [] : [{ type: delta, text }]
    if (CALL_DELTAS.has(type) && calls.isKnown(fields.output_index))
      return [{ type: 'tool-call-delta', index: calls.of(fields.output_index), arguments: text ?? '' }]
    if (type !== 'response.output_item.added') return []
    return callBegun(fieldsOf(fields.item) ?? {}, fields.output_index, calls)
  }

  const ended = (response: Fields): ReplyPart => {
    // A server that sends the whole alone.
    const events = hasContent ? [] : eventsOf(response.output)
    return {
      events,
      finish: finishIn(response, hasCalls || events.some(isCall)),
      usage: usageIn(response),
      end: true,
    }
  }

  const partOf = (type: string, fields: Fields): ReplyPart => {
    const response = fieldsOf(fields.response) ?? {}
    if (ENDS.has(type)) return ended(response)
    const events = said(type, fields)
    if (events.length > 0) hasContent = true
    if (events.some(isCall)) hasCalls = true
    return { events }
  }

  return event => {
    const read = readStreamEvent(event, isOfAnswer)
    if (read.kind === 'ignored') return { ignored: true }
    if (read.kind === 'end') return { end: true }
    if (read.kind === 'error') return { error: upstreamError({ ...options, body: read.error }) }
    const { fields } = read
    const type = wordIn(fields.type) ?? event.event
    if (type === 'error' || type === FAILED) {
      const failed = fieldsOf(fields.response) ?? fields
      return {
        events: type === FAILED ? [wireOf(type, withoutSecrets(event.data, options.redact), false)] : [],
        error: upstreamError({ ...options, body: failed }),
        usage: usageIn(failed),
      }
    }
    const part = partOf(type, fields)
    return { ...part, events: [wireOf(type, event.data, isUnread(type, fields)), ...(part.events ?? [])] }
  }
}
