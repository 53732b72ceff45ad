import type { SseEvent } from '../../../sse-parser.ts'
import { type Fields, fieldsOf, parseJson } from './lenient.ts'
import { MalformedResponse } from './malformed.ts'

/**
 * The content of an upstream's event. `ignored`: nothing of the answer, such as a relay's keep-alive. `error`: the
 * value that describes a failure. `end`: the end mark.
 */
export type StreamEvent =
  | Readonly<{ kind: 'fields'; fields: Fields }>
  | Readonly<{ kind: 'error'; error: unknown }>
  | Readonly<{ kind: 'ignored' }>
  | Readonly<{ kind: 'end' }>

const IGNORED: StreamEvent = { kind: 'ignored' }
const END: StreamEvent = { kind: 'end' }
const LOOKS_LIKE_JSON = /^[[{]/
/** `[DONE]` (OpenAI), and as relays write it. */
const END_MARK = /^(?:\[done\]|done)$/i
const LONGEST_END_MARK = '[DONE]'.length
/** Data of unnamed events that relays send as keep-alive. */
const KEEP_ALIVE = /^[\W_]*(?:ping|pong|heart-?beat|keep-?alive|(?:openrouter )?processing)[\W_]*$/i

/** Whether an event's data is the stream's end mark. */
export const isEndMark = (data: string): boolean => END_MARK.test(data.trim())

/** Whether data that is neither JSON nor an end mark is the beginning of either. */
export const isTruncated = (data: string): boolean => LOOKS_LIKE_JSON.test(data.trim())

/** An error among the elements of an array, in which Google sends its errors. */
const errorInList = (list: readonly unknown[]): unknown => fieldsOf(list[0])?.error

const isScalar = (value: unknown): boolean =>
  value === null || ['string', 'number', 'boolean'].includes(typeof value)

/**
 * Reads one event of a stream. Relays add events of their own to keep a connection alive: without data, with a scalar
 * or a word such as `ping` as data, or under a name that is not the protocol's.
 *
 * @param isOfAnswer whether the protocol sends parts of the answer under that event name
 * @throws MalformedResponse where a part of the answer is not a JSON object.
 */
export const readStreamEvent = (
  { event, data }: SseEvent,
  isOfAnswer: (name: string) => boolean,
): StreamEvent => {
  const text = data.trim()
  if (text === '[DONE]' || (text.length <= LONGEST_END_MARK && isOfAnswer(event) && isEndMark(text)))
    return END
  const value = parseJson(text)
  const fields = fieldsOf(value)
  if (event === 'error') return { kind: 'error', error: fields?.error ?? value ?? text }
  if (fields) return { kind: 'fields', fields }
  if (text === '' || isScalar(value) || KEEP_ALIVE.test(text)) return IGNORED
  const error = Array.isArray(value) ? errorInList(value) : undefined
  if (error !== undefined) return { kind: 'error', error }
  if (isOfAnswer(event) || (value === undefined && isTruncated(text)))
    throw new MalformedResponse('an event is not a JSON object')
  return IGNORED
}
