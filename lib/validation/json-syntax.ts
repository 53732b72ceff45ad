import {
  CLOSING_BRACE,
  CLOSING_BRACKET,
  COLON,
  COMMA,
  isSpace,
  OPENING_BRACE,
  OPENING_BRACKET,
  QUOTE,
} from '../json-codes.ts'
import { endOfPortion } from '../long-json.ts'
import { inTurns, type Steps } from '../loop-turns.ts'
import { endOfString } from '../raw-json.ts'
import { invalidJson } from './json-text.ts'

/** Levels of arrays and objects, which is more than any data has and less than any parser bears. */
const DEEPEST = 1_000
/** Text that takes a millisecond or so to check. */
const PORTION = 32_768
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y

/** What may come next. `value-or-end`, `name-or-end`: at the beginning of an array, of an object. */
type Expected = 'value' | 'value-or-end' | 'name' | 'name-or-end' | 'colon' | 'comma-or-end'

/** Whether what stands between two quotes is valid. */
const isString = (written: string): boolean => {
  try {
    JSON.parse(`"${written}"`)
    return true
  } catch {
    return false
  }
}

/** Reads JSON from its beginning to its end, and keeps nothing of it but the brackets that are open. */
class SyntaxChecker {
  readonly #text: string
  /** Closing brackets that are yet to come. */
  readonly #open: number[] = []
  #expected: Expected = 'value'
  #at = 0
  /** A long string that has been passed over. */
  #long: string | undefined

  constructor(text: string) {
    this.#text = text
  }

  /** Throws GatewayError INVALID_INPUT where it is not valid. */
  *check(): Steps<void> {
    for (let yieldsAt = PORTION; this.#at < this.#text.length; ) {
      const code = this.#text.charCodeAt(this.#at)
      if (isSpace(code)) this.#at += 1
      else this.#read(code)
      if (this.#long !== undefined) yield* this.#longString(this.#long)
      if (this.#at < yieldsAt) continue
      yieldsAt = this.#at + PORTION
      yield
    }
    if (this.#open.length > 0 || this.#expected !== 'comma-or-end') this.#fail()
  }

  #fail(): never {
    throw invalidJson(`is not valid JSON at character ${this.#at}`)
  }

  #read(code: number): void {
    const expected = this.#expected
    if (expected === 'comma-or-end') this.#separate(code)
    else if (expected === 'colon') this.#colon(code)
    else if (expected === 'name' || expected === 'name-or-end') this.#name(code, expected)
    else if (expected === 'value-or-end' && code === CLOSING_BRACKET) this.#end(code)
    else this.#value(code)
  }

  #pass(characters: number, expected: Expected): void {
    this.#at += characters
    this.#expected = expected
  }

  #colon(code: number): void {
    if (code !== COLON) this.#fail()
    this.#pass(1, 'value')
  }

  #name(code: number, expected: 'name' | 'name-or-end'): void {
    if (expected === 'name-or-end' && code === CLOSING_BRACE) this.#end(code)
    else this.#string(code, 'colon')
  }

  #value(code: number): void {
    if (code === QUOTE) this.#string(code, 'comma-or-end')
    else if (code === OPENING_BRACKET) this.#begin(CLOSING_BRACKET, 'value-or-end')
    else if (code === OPENING_BRACE) this.#begin(CLOSING_BRACE, 'name-or-end')
    else this.#scalar()
  }

  #scalar(): void {
    SCALAR.lastIndex = this.#at
    if (!SCALAR.test(this.#text)) this.#fail()
    this.#pass(SCALAR.lastIndex - this.#at, 'comma-or-end')
  }

  #string(code: number, then: Expected): void {
    const end = code === QUOTE ? endOfString(this.#text, this.#at + 1) : -1
    if (end === -1) this.#fail()
    const written = this.#text.slice(this.#at + 1, end)
    if (written.length > PORTION) this.#long = written
    else if (!isString(written)) this.#fail()
    this.#pass(end + 1 - this.#at, then)
  }

  *#longString(written: string): Steps<void> {
    this.#long = undefined
    for (let from = 0; from < written.length; ) {
      const end = endOfPortion(written, from)
      if (!isString(written.slice(from, end))) this.#fail()
      from = end
      yield
    }
  }

  #begin(closing: number, expected: Expected): void {
    if (this.#open.length === DEEPEST) throw invalidJson(`is nested deeper than ${DEEPEST} levels`)
    this.#open.push(closing)
    this.#pass(1, expected)
  }

  #separate(code: number): void {
    if (code !== COMMA || this.#open.length === 0) this.#end(code)
    else this.#pass(1, this.#open.at(-1) === CLOSING_BRACE ? 'name' : 'value')
  }

  #end(code: number): void {
    if (this.#open.pop() !== code) this.#fail()
    this.#pass(1, 'comma-or-end')
  }
}

/**
 * Checks the syntax of JSON that is only kept as it is: any names, also repeated ones, in up to 1,000 levels. The event
 * loop runs other work between portions of it. Source: RFC 8259.
 * @throws GatewayError INVALID_INPUT
 */
export const assertJsonSyntax = (text: string): Promise<void> => inTurns(new SyntaxChecker(text).check())

/** Whether a text is JSON, of whatever kind. */
export const isJsonText = (text: string): Promise<boolean> =>
  assertJsonSyntax(text).then(
    () => true,
    () => false,
  )
