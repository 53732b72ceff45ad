import { GatewayError } from '../errors.ts'

const DEEPEST = 64

const invalid = (message: string): GatewayError =>
  new GatewayError('INVALID_INPUT', `body: ${message}`, { details: [{ path: 'body', message }] })

/**
 * Refuses what parses but is only ever sent to do harm.
 * @returns how many fields the value has, at all depths together
 */
const assertHarmless = (value: unknown, depth: number): number => {
  if (typeof value !== 'object' || value === null) return 0
  if (depth > DEEPEST) throw invalid(`is nested deeper than ${DEEPEST} levels`)
  if (Object.hasOwn(value, '__proto__')) throw invalid('holds a field named __proto__')
  const children = Object.values(value)
  const own = Array.isArray(value) ? 0 : children.length
  return children.reduce<number>((fields, child) => fields + assertHarmless(child, depth + 1), own)
}

/** Where the string that begins before `from` ends: the index of its closing quote. */
const endOfString = (json: string, from: number): number => {
  for (let quote = json.indexOf('"', from); ; quote = json.indexOf('"', quote + 1)) {
    let backslashes = 0
    while (json[quote - 1 - backslashes] === '\\') backslashes += 1
    if (backslashes % 2 === 0) return quote
  }
}

/** How many fields valid JSON text writes down: as many as it has colons outside of strings. */
const writtenFields = (json: string): number => {
  let fields = 0
  for (let at = 0; at < json.length; at += 1) {
    const character = json[at]
    if (character === '"') at = endOfString(json, at + 1)
    else if (character === ':') fields += 1
  }
  return fields
}

const LARGE_ID = /"(?:custom_)?id"\s*:\s*-?\d{16}/

/** An id written as a number that a double cannot hold, as the digits that were written (ECMAScript's source text access). */
const exactId = (key: string, value: unknown, context?: Readonly<{ source?: string }>): unknown =>
  (key === 'id' || key === 'custom_id') && Number.isInteger(value) && !Number.isSafeInteger(value)
    ? (context?.source ?? value)
    : value

const parse = (text: string): unknown => {
  try {
    return LARGE_ID.test(text) ? JSON.parse(text, exactId) : JSON.parse(text)
  } catch (cause) {
    // The engine's message quotes the body: only where it stopped may leave.
    const position = /position (\d+)/.exec(String(cause))?.[1]
    throw invalid(`is not valid JSON${position ? ` at character ${position}` : ''}`)
  }
}

/**
 * A text as the JSON value that it is. An `id` or `custom_id` that is a number beyond 2^53 comes as text, digit by digit.
 * @throws GatewayError INVALID_INPUT for text that is no JSON, nesting beyond 64 levels, a field named
 * `__proto__`, or one that comes twice.
 */
export const jsonOrThrow = (text: string): unknown => {
  const value = parse(text)
  const fields = assertHarmless(value, 0)
  // Readers differ in which of two fields of one name they believe; what stands between them must not choose.
  if (fields < writtenFields(text)) throw invalid('names a field twice in one object')
  return value
}
