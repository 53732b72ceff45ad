import type { GatewayError } from '../errors.ts'
import { turn } from '../loop-turns.ts'
import { endOfString, parseWithExactIds } from '../raw-json.ts'
import { DEEPEST_JSON, invalidJson, nestedTooDeep } from './json-text.ts'
import { parseInTurns } from './sliced-json.ts'

/** From this many characters on, a text is parsed in slices between other work. */
const LARGE = 131_072
const LOOKS_BETWEEN_TURNS = 1_000
/** Finding the position of an error in a longer text would block the event loop for too long. */
const LONGEST_SEARCHED = 8_000_000

const assertHarmlessItself = (value: object, depth: number): void => {
  if (depth >= DEEPEST_JSON) throw nestedTooDeep()
  if (Object.hasOwn(value, '__proto__')) throw invalidJson('holds a field named __proto__')
}

/**
 * Refuses JSON that is valid but only used in attacks.
 * @returns how many fields the value has, at all depths together
 */
const assertHarmless = (value: unknown, depth: number): number => {
  if (typeof value !== 'object' || value === null) return 0
  assertHarmlessItself(value, depth)
  const children = Object.values(value)
  const own = Array.isArray(value) ? 0 : children.length
  return children.reduce<number>((fields, child) => fields + assertHarmless(child, depth + 1), own)
}

/** `assertHarmless` for a large value, in the same order, in slices between other work. */
const assertHarmlessInTurns = async (root: unknown): Promise<number> => {
  const waiting: { value: unknown; depth: number }[] = [{ value: root, depth: 0 }]
  let fields = 0
  for (let looks = 1; waiting.length > 0; looks += 1) {
    if (looks % LOOKS_BETWEEN_TURNS === 0) await turn()
    const { value, depth } = waiting.pop() as { value: unknown; depth: number }
    if (typeof value !== 'object' || value === null) continue
    assertHarmlessItself(value, depth)
    const children = Array.isArray(value) ? value : Object.values(value)
    if (!Array.isArray(value)) fields += children.length
    for (let at = children.length - 1; at >= 0; at -= 1)
      if (typeof children[at] === 'object') waiting.push({ value: children[at], depth: depth + 1 })
  }
  return fields
}

/** How many fields valid JSON text contains: its colons outside of strings. */
const writtenFields = (json: string): number => {
  let fields = 0
  for (let at = 0; at < json.length; at += 1) {
    const character = json[at]
    if (character === '"') at = endOfString(json, at + 1)
    else if (character === ':') fields += 1
  }
  return fields
}

const parse = (text: string): unknown => {
  try {
    return parseWithExactIds(text)
  } catch (cause) {
    // The engine's message quotes the body: only the position may be shown.
    const position = /position (\d+)/.exec(String(cause))?.[1]
    throw invalidJson(`is not valid JSON${position ? ` at character ${position}` : ''}`)
  }
}

const twice = (): GatewayError => invalidJson('names a field twice in one object')

/**
 * Parses JSON text. An `id` or `custom_id` that is a number beyond 2^53 comes as text, digit by digit.
 * @throws GatewayError INVALID_INPUT for invalid JSON, nesting beyond 64 levels, a field named `__proto__`, or a
 * repeated field.
 */
export const jsonOrThrow = (text: string): unknown => {
  const value = parse(text)
  const fields = assertHarmless(value, 0)
  // Parsers differ in which of two fields of one name they use, so a gateway must not choose.
  if (fields < writtenFields(text)) throw twice()
  return value
}

/**
 * `jsonOrThrow` for a text that may be large: the event loop runs other work between portions of it.
 * @throws what `jsonOrThrow` throws
 */
export const jsonInTurnsOrThrow = async (text: string): Promise<unknown> => {
  if (text.length < LARGE) return jsonOrThrow(text)
  const parsed = await parseInTurns(text)
  // A text without an outline is invalid JSON, whose error the plain parser locates, or a single string or number.
  if (!parsed && text.length > LONGEST_SEARCHED) throw invalidJson('is not valid JSON')
  if (!parsed) return jsonOrThrow(text)
  if ((await assertHarmlessInTurns(parsed.value)) < parsed.fields) throw twice()
  return parsed.value
}
