import {
  CLOSING_BRACE,
  CLOSING_BRACKET,
  COLON,
  COMMA,
  OPENING_BRACE,
  OPENING_BRACKET,
  QUOTE,
} from '../json-codes.ts'
import { readJsonString } from '../long-json.ts'
import { inTurns, turn } from '../loop-turns.ts'
import { endOfString, parseWithExactIds } from '../raw-json.ts'
import { grouped } from './grouped.ts'
import { DEEPEST_JSON, invalidJson, nestedTooDeep } from './json-text.ts'

/** Text that takes a millisecond or so to parse. */
const PORTION = 65_536
/** No real request has an object with so many fields; building one takes long. */
const MOST_FIELDS = 10_000
const LOOKS_BETWEEN_TURNS = 8_192

/** Control characters, which a string of JSON must not hold as they are. */
const CONTROL = /[^ -\uffff]/
const WHITE_SPACE = /^[ \t\n\r]*$/
/** After a name: its colon, or so much white space that nothing else is looked for. */
const NAME_END = /^[ \t\n\r]*(?::|$)/
const MOST_SPACE = 64

/** An array or object of the text: its position, and where it can be cut into portions. */
type Container = {
  readonly start: number
  readonly isArray: boolean
  /** The index after its closing bracket. */
  end: number
  /** Positions of commas between its own elements. */
  readonly cuts: number[]
  /** Elements that are larger than a portion, in their order. */
  readonly large: Large[]
  lastComma: number
  commas: number
  /** The next comma must be a cut, since the element before it is large. */
  cutsNext: boolean
}

/** A string as an element, with its quotes. */
type LongText = Readonly<{ start: number; end: number; isText: true }>

type Large = Container | LongText

/** The text's structure, from its brackets and strings. */
type Outline = Readonly<{ root: Container; fields: number }>

/** The text is invalid JSON; only the plain parser can locate the error. */
class NoJson extends Error {}

/** Follows a text's brackets and strings from its beginning to its end. */
class Outliner {
  readonly #text: string
  readonly #open: Container[] = []
  #root: Container | undefined
  #fields = 0

  constructor(text: string) {
    this.#text = text
  }

  async outline(): Promise<Outline> {
    let looks = 0
    for (let at = 0; at < this.#text.length; at += 1) {
      if (++looks % LOOKS_BETWEEN_TURNS === 0) await turn()
      const code = this.#text.charCodeAt(at)
      if (code === QUOTE) {
        const start = at
        at = endOfString(this.#text, at + 1)
        if (at === -1) throw new NoJson()
        if (at - start > PORTION) {
          this.#seeLongText(start, at + 1)
          await turn()
        }
      } else this.#see(code, at)
    }
    if (!this.#root || this.#open.length > 0) throw new NoJson()
    return { root: this.#root, fields: this.#fields }
  }

  #seeLongText(start: number, end: number): void {
    const parent = this.#open.at(-1)
    // A name stays with its value.
    const isName = NAME_END.test(this.#text.slice(end, end + MOST_SPACE))
    if (parent && !isName) addLarge(parent, { start, end, isText: true })
  }

  #see(code: number, at: number): void {
    if (code === COLON) this.#fields += 1
    else if (code === COMMA) this.#separate(at)
    else if (code === OPENING_BRACKET || code === OPENING_BRACE) this.#begin(code === OPENING_BRACKET, at)
    else if (code === CLOSING_BRACKET || code === CLOSING_BRACE) this.#end(code === CLOSING_BRACKET, at)
  }

  #separate(at: number): void {
    const container = this.#open.at(-1)
    if (!container) throw new NoJson()
    if (container.cutsNext || at - (container.cuts.at(-1) ?? container.start) >= PORTION) {
      container.cuts.push(at)
      container.cutsNext = false
    }
    container.lastComma = at
    container.commas += 1
    if (!container.isArray && container.commas >= MOST_FIELDS)
      throw invalidJson(`holds an object of more than ${grouped(MOST_FIELDS)} fields`)
  }

  #begin(isArray: boolean, start: number): void {
    if (this.#open.length === 0 && this.#root) throw new NoJson()
    if (this.#open.length >= DEEPEST_JSON) throw nestedTooDeep()
    this.#open.push({
      start,
      isArray,
      end: -1,
      cuts: [],
      large: [],
      lastComma: start,
      commas: 0,
      cutsNext: false,
    })
  }

  #end(isArray: boolean, at: number): void {
    const container = this.#open.pop()
    if (container?.isArray !== isArray) throw new NoJson()
    container.end = at + 1
    const parent = this.#open.at(-1)
    if (!parent) this.#root = container
    else if (container.end - container.start > PORTION) addLarge(parent, container)
  }
}

/** A large element is a portion of its own. */
const addLarge = (parent: Container, element: Large): void => {
  if (parent.lastComma > (parent.cuts.at(-1) ?? parent.start)) parent.cuts.push(parent.lastComma)
  parent.cutsNext = true
  parent.large.push(element)
}

const assertBlank = (text: string): void => {
  if (!WHITE_SPACE.test(text)) throw new NoJson()
}

type Built = unknown[] | Record<string, unknown>

const put = (object: Record<string, unknown>, key: string, value: unknown): void => {
  // An assignment would set the prototype instead of adding a field that can be refused.
  if (key === '__proto__')
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
  else object[key] = value
}

/** Builds the value of a text from its outline, portion by portion. */
class Builder {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  async build(element: Large): Promise<unknown> {
    return 'isText' in element ? this.#buildText(element) : this.#buildContainer(element)
  }

  async #buildText({ start, end }: LongText): Promise<string> {
    const written = this.#text.slice(start + 1, end - 1)
    for (let from = 0; from < written.length; from += PORTION) {
      await turn()
      if (CONTROL.test(written.slice(from, from + PORTION))) throw new NoJson()
    }
    return inTurns(readJsonString(written)).catch(() => {
      throw new NoJson()
    })
  }

  async #buildContainer(container: Container): Promise<unknown> {
    const into: Built = container.isArray ? [] : {}
    const { cuts, large, start, end } = container
    const ends = [...cuts, end - 1]
    let from = start + 1
    let next = 0
    for (const to of ends) {
      await turn()
      const element = large[next]
      if (element && element.start < to) {
        next += 1
        await this.#addLarge(into, element, from, to)
      } else this.#addPortion(into, this.#text.slice(from, to), cuts.length > 0)
      from = to + 1
    }
    return into
  }

  async #addLarge(into: Built, element: Large, from: number, to: number): Promise<void> {
    const before = this.#text.slice(from, element.start)
    assertBlank(this.#text.slice(element.end, to))
    if (Array.isArray(into)) {
      assertBlank(before)
      into.push(await this.build(element))
    } else {
      // A name and its colon, which the text of an empty array makes a whole object of.
      const [key, ...others] = Object.keys(this.#parse(`{${before}[]}`))
      if (key === undefined || others.length > 0) throw new NoJson()
      put(into, key, await this.build(element))
    }
  }

  #addPortion(into: Built, text: string, isOneOfSeveral: boolean): void {
    if (isOneOfSeveral && WHITE_SPACE.test(text)) throw new NoJson()
    if (Array.isArray(into)) for (const value of this.#parse(`[${text}]`) as unknown[]) into.push(value)
    else for (const [key, value] of Object.entries(this.#parse(`{${text}}`))) put(into, key, value)
  }

  #parse(text: string): object {
    try {
      return parseWithExactIds(text) as object
    } catch {
      throw new NoJson()
    }
  }
}

export type Parsed = Readonly<{
  value: unknown
  /** How many fields the text contains. */
  fields: number
}>

/**
 * The array or object that a large text is, as `JSON.parse` would give it, parsed in slices between other work. Absent
 * where the text is invalid JSON, or neither an array nor an object.
 * @throws GatewayError INVALID_INPUT for one that is nested beyond 64 levels, even if it is invalid after that, and for
 * an object of more than 10,000 fields
 */
export const parseInTurns = async (text: string): Promise<Parsed | undefined> => {
  try {
    const { root, fields } = await new Outliner(text).outline()
    assertBlank(text.slice(0, root.start))
    assertBlank(text.slice(root.end))
    return { value: await new Builder(text).build(root), fields }
  } catch (error) {
    if (error instanceof NoJson) return undefined
    throw error
  }
}
