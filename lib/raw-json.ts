import {
  BACKSLASH,
  CLOSING_BRACE,
  CLOSING_BRACKET,
  COMMA,
  isSpace,
  OPENING_BRACE,
  OPENING_BRACKET,
  QUOTE,
} from './json-codes.ts'
import { LONG_STEP, type Steps } from './loop-turns.ts'

/** The position of the quote that ends a string, which begins before `from`; -1 where there is none. */
export const endOfString = (json: string, from: number): number => {
  for (let quote = json.indexOf('"', from); quote !== -1; quote = json.indexOf('"', quote + 1)) {
    let backslashes = 0
    while (json.charCodeAt(quote - 1 - backslashes) === BACKSLASH) backslashes += 1
    if (backslashes % 2 === 0) return quote
  }
  return -1
}

const afterSpace = (json: string, from: number): number => {
  let at = from
  while (isSpace(json.charCodeAt(at))) at += 1
  return at
}

/** Braces differ from brackets in one bit. */
const BRACE_BIT = OPENING_BRACE - OPENING_BRACKET

/** The position after a number, or another value without structure. */
const endOfScalar = (json: string, from: number): number => {
  let at = from
  for (; at < json.length; at += 1) {
    const code = json.charCodeAt(at)
    if (code === COMMA || (code | BRACE_BIT) === CLOSING_BRACE) break
  }
  return at
}

/** A scan of a long text: it yields after each portion, so that other work can run in between. */
type Scan<T> = Steps<T>

const PORTION = 262_144
/** Text whose elements are read or changed one by one in a step. */
const SHORT_PORTION = 32_768

/** The position after the object or list that begins at `from`. */
export function* endOfContainer(json: string, from: number): Scan<number> {
  let depth = 0
  let yieldsAt = from + PORTION
  for (let at = from; at < json.length; at += 1) {
    const code = json.charCodeAt(at)
    if (code === QUOTE) {
      at = endOfString(json, at + 1)
      if (at === -1) break
    } else if ((code | BRACE_BIT) === OPENING_BRACE) depth += 1
    else if ((code | BRACE_BIT) === CLOSING_BRACE) {
      depth -= 1
      if (depth === 0) return at + 1
    }
    if (at < yieldsAt) continue
    yieldsAt = at + PORTION
    yield
  }
  return json.length
}

const isContainer = (first: number): boolean => (first | BRACE_BIT) === OPENING_BRACE

/** The position after the string, number or word that begins at `from`. */
const endOfPlain = (json: string, from: number): number => {
  if (json.charCodeAt(from) !== QUOTE) return endOfScalar(json, from)
  const end = endOfString(json, from + 1)
  return end === -1 ? json.length : end + 1
}

/** The position after the value that begins at `from`. */
function* endOfValue(json: string, from: number): Scan<number> {
  return isContainer(json.charCodeAt(from)) ? yield* endOfContainer(json, from) : endOfPlain(json, from)
}

/** Where a member stands in its object's text: from its name on, and its value to what follows it. */
type MemberPlace = Readonly<{ name: string; from: number; valueFrom: number; to: number }>

function* scanPlaces(json: string): Scan<readonly MemberPlace[]> {
  const places: MemberPlace[] = []
  let at = afterSpace(json, json.indexOf('{') + 1)
  while (json[at] === '"') {
    const nameEnd = endOfString(json, at + 1)
    const name: string = JSON.parse(json.slice(at, nameEnd + 1))
    const valueFrom = afterSpace(json, afterSpace(json, nameEnd + 1) + 1)
    const to = yield* endOfValue(json, valueFrom)
    places.push({ name, from: at, valueFrom, to })
    at = afterSpace(json, to)
    if (json[at] === ',') at = afterSpace(json, at + 1)
  }
  return places
}

/** `membersOf` in portions: each step takes a millisecond or so. */
export function* scanMembers(json: string): Scan<readonly (readonly [name: string, value: string])[]> {
  const places = yield* scanPlaces(json)
  return places.map(({ name, valueFrom, to }) => [name, json.slice(valueFrom, to).trimEnd()])
}

const completed = <T>(scan: Scan<T>): T => {
  for (;;) {
    const step = scan.next()
    if (step.done) return step.value
  }
}

/** The members of a valid JSON object's text, in order, with their values as they are written. */
export const membersOf = (json: string): readonly (readonly [name: string, value: string])[] =>
  completed(scanMembers(json))

/** A valid JSON object's text without the members of that name; everything else as it was written. */
export const withoutMember = (json: string, name: string): string => {
  const places = completed(scanPlaces(json))
  const at = places.findIndex(place => place.name === name)
  const [before, found, after] = [places[at - 1], places[at], places[at + 1]]
  if (!found) return json
  const kept = before
    ? json.slice(0, before.to) + json.slice(found.to)
    : json.slice(0, found.from) + json.slice(after?.from ?? found.to)
  return withoutMember(kept, name)
}

/**
 * A valid JSON object's text with one member changed, added or left out; all else as it is written. Of several members of
 * that name the last one counts, as for JSON.parse.
 *
 * @param change gets the value as it is written, and undefined where there is none; it returns the new one, or undefined
 * for none
 */
export const withMember = (json: string, name: string, change: Change): string =>
  completed(changeMember(json, name, change))

/** What a member becomes, both as written; undefined stands for none. */
type Change = (written: string | undefined) => string | undefined

/** `withMember` in portions: each step takes a millisecond or so. */
export function* changeMember(json: string, name: string, change: Change): Scan<string> {
  const places = yield* scanPlaces(json)
  const place = places.findLast(one => one.name === name)
  const written = place && json.slice(place.valueFrom, place.to).trimEnd()
  const value = change(written)
  if (value === written) return json
  if (value === undefined) return withoutMember(json, name)
  if (place) return json.slice(0, place.valueFrom) + value + json.slice(place.to)
  const end = places.at(-1)?.to ?? json.indexOf('{') + 1
  return `${json.slice(0, end)}${places.length > 0 ? ',' : ''}${JSON.stringify(name)}:${value}${json.slice(end)}`
}

/** `withMember` for a member of an object's member, where both are written. */
export const withInnerMember = (
  json: string,
  outer: string,
  inner: string,
  change: (written: string) => string,
): string =>
  withMember(json, outer, value =>
    value?.startsWith('{') ? withMember(value, inner, written => written && change(written)) : value,
  )

/** The member of that name, as it is written; undefined where there is none. */
export const memberIn = (
  members: readonly (readonly [name: string, value: string])[],
  name: string,
): string | undefined => members.find(([known]) => known === name)?.[1]

/** The member of that name in a valid JSON object's text, as it is written; undefined where there is none. */
export const memberOf = (json: string, name: string): string | undefined => memberIn(membersOf(json), name)

/** Whether a JSON value is an object, and no array. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** `elementsOf` in portions: each step takes a millisecond or so. */
export function* scanElements(json: string): Scan<readonly string[]> {
  const elements: string[] = []
  let yieldsAt = SHORT_PORTION
  let at = afterSpace(json, json.indexOf('[') + 1)
  while (at < json.length && json[at] !== ']') {
    const end = yield* endOfValue(json, at)
    elements.push(json.slice(at, end).trimEnd())
    at = afterSpace(json, end)
    if (json[at] === ',') at = afterSpace(json, at + 1)
    if (at < yieldsAt) continue
    yieldsAt = at + SHORT_PORTION
    yield
  }
  return elements
}

/** The elements of a valid JSON array's text, as they are written. */
export const elementsOf = (json: string): readonly string[] => completed(scanElements(json))

/** A valid JSON array's text with each element changed. @param change gets an element and makes others of it, as written */
export const withElements = (json: string, change: (element: string, at: number) => string): string =>
  `[${elementsOf(json).map(change).join()}]`

/** What is made of a JSON text by copying it, in a step of its own where it is long. */
export function* longStep(json: string, copy: () => string): Scan<string> {
  const isLong = json.length > PORTION
  if (isLong) yield LONG_STEP
  const text = copy()
  if (isLong) yield LONG_STEP
  return text
}

/**
 * `withElements` in portions. A long text is joined in a step of its own.
 * @param change returns undefined for an element that is left out
 */
export function* changeElements(
  json: string,
  change: (element: string, at: number) => Scan<string | undefined>,
): Scan<string> {
  const changed: string[] = []
  let size = 0
  for (const [at, element] of (yield* scanElements(json)).entries()) {
    const steps = change(element, at)
    const made = element.length > SHORT_PORTION ? yield* steps : completed(steps)
    if (made !== undefined) changed.push(made)
    size += element.length
    if (size < SHORT_PORTION) continue
    size = 0
    yield
  }
  return yield* longStep(json, () => `[${changed.join()}]`)
}

/** How many elements an array has, and how many of them are numbers. */
export type ElementCount = Readonly<{ elements: number; numbers: number }>

const [MINUS, ZERO, NINE] = [0x2d, 0x30, 0x39]
const isNumber = (first: number): boolean => first === MINUS || (first >= ZERO && first <= NINE)

/** Counts the elements of a valid JSON array's text, and keeps none, in portions: each step takes a millisecond or so. */
export function* countElements(json: string): Scan<ElementCount> {
  let elements = 0
  let numbers = 0
  let yieldsAt = PORTION
  let at = afterSpace(json, json.indexOf('[') + 1)
  while (at < json.length && json.charCodeAt(at) !== CLOSING_BRACKET) {
    const first = json.charCodeAt(at)
    elements += 1
    if (isNumber(first)) numbers += 1
    // No generator for each of millions of numbers.
    at = afterSpace(json, isContainer(first) ? yield* endOfContainer(json, at) : endOfPlain(json, at))
    if (json.charCodeAt(at) === COMMA) at = afterSpace(json, at + 1)
    if (at < yieldsAt) continue
    yieldsAt = at + PORTION
    yield
  }
  return { elements, numbers }
}

/** The text of an object with these members. */
export const objectOf = (members: readonly (readonly [name: string, value: string])[]): string =>
  `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join()}}`

const LARGE_ID = /"(?:custom_)?id"\s*:\s*-?\d{16}/

/** An id written as a number beyond a double's precision, as its original digits (ECMAScript's source text access). */
const exactId = (key: string, value: unknown, context?: Readonly<{ source?: string }>): unknown =>
  (key === 'id' || key === 'custom_id') && Number.isInteger(value) && !Number.isSafeInteger(value)
    ? (context?.source ?? value)
    : value

/** `JSON.parse`, with `id` and `custom_id` as text where they are numbers beyond 2^53. Throws SyntaxError. */
export const parseWithExactIds = (text: string): unknown =>
  text.includes('id"') && LARGE_ID.test(text) ? JSON.parse(text, exactId) : JSON.parse(text)
const LINE_BREAKS = /[\r\n]+/g

/** JSON text as one line. A line break in valid JSON is white space between its parts. */
export const oneLine = (json: string): string =>
  json.includes('\n') || json.includes('\r') ? json.replace(LINE_BREAKS, ' ') : json

/** `oneLine` for a text that may be large, a portion a step. */
export function* oneLineInSteps(json: string): Scan<string> {
  const lines: string[] = []
  for (let from = 0; from < json.length; from += PORTION) {
    lines.push(oneLine(json.slice(from, from + PORTION)))
    yield
  }
  return lines.join('')
}
