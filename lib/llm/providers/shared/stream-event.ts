import type { SseEvent } from '../../../sse-parser.ts'
import { type Fields, fieldsOf, parseJson } from './lenient.ts'
import { MalformedResponse } from './malformed.ts'

/**
 * What an upstream's event holds. `ignored`: nothing of the answer, such as a relay's keep-alive. `error`: the value
 * that describes a failure.
 */
export type StreamEvent =
  | Readonly<{ kind: 'fields'; fields: Fields }>
  | Readonly<{ kind: 'error'; error: unknown }>
  | Readonly<{ kind: 'ignored' }>

const IGNORED: StreamEvent = { kind: 'ignored' }
const LOOKS_LIKE_JSON = /^[[{]/

/** An error among the elements of an array, in which Google sends its errors. */
const errorInList = (list: readonly unknown[]): unknown => fieldsOf(list[0])?.error

const isScalar = (value: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof value)

/**
 * Reads one event of a stream. Relays add events of their own to keep a connection alive: without data, with a scalar
 * as data, or under a name that is not the protocol's.
 *
 * @param isOfAnswer whether the protocol sends parts of the answer under that event name
 * @throws MalformedResponse where a part of the answer is not a JSON object.
 */
export const readStreamEvent = (
  { event, data }: SseEvent,
  isOfAnswer: (name: string) => boolean,
): StreamEvent => {
  const text = data.trim()
  const value = parseJson(text)
  const fields = fieldsOf(value)
  if (event === 'error') return { kind: 'error', error: fields?.error ?? value ?? text }
  if (fields) return { kind: 'fields', fields }
  if (text === '' || isScalar(value)) return IGNORED
  const error = Array.isArray(value) ? errorInList(value) : undefined
  if (error !== undefined) return { kind: 'error', error }
  const isCutOff = value === undefined && LOOKS_LIKE_JSON.test(text)
  if (isOfAnswer(event) || isCutOff) throw new MalformedResponse('an event is no JSON object')
  return IGNORED
}
