import {
  BACKSLASH,
  CLOSING_BRACE,
  CLOSING_BRACKET,
  COMMA,
  isSpace,
  NEWLINE,
  OPENING_BRACE,
  OPENING_BRACKET,
  QUOTE,
} from '../../json-codes.ts'

/** The member of an object that holds its list, up to that list. */
const ITEMS = /^"items"\s*:\s*$/
const ITEMS_LENGTH = 64

/** The error message for JSON without a list. */
export const NO_LIST = 'must be an array of items, or an object with items'

/**
 * One element of a list, as the text it is written in, and the line it begins in. Of an object that holds the list, every
 * other member, as `"name": value`.
 */
export type Element = Readonly<{ line: number; text: string | undefined; isMember?: true }>

/**
 * The elements of a list in JSON, or of the list `items` in an object, one by one, so that a long list need not be in
 * memory. Only the list itself is checked to be well formed, not what its elements hold. An element with more
 * characters than `longest` has no text.
 *
 * @throws SyntaxError, whose message says in which line
 */
export class JsonElements {
  readonly #longest: number
  #state: 'before' | 'first' | 'element' | 'between' | 'next' | 'after' = 'before'
  #line = 1
  #begunIn = 1
  #text = ''
  #depth = 0
  #isInString = false
  #isEscaped = false
  #isTooLong = false
  #inside: 'list' | 'object' | 'items' = 'list'
  #hasList = false

  constructor(longest: number) {
    this.#longest = longest
  }

  /** Whether there was a list at all; known when the text has ended. */
  get hasList(): boolean {
    return this.#hasList
  }

  /** Takes the next portion and returns the elements it completes. */
  push(portion: string): Element[] {
    const elements: Element[] = []
    let from = 0
    for (let at = 0; at < portion.length; at += 1) {
      if (this.#state === 'element') {
        at = this.#endOfElement(portion, at)
        if (at === portion.length) break
        const text = portion.slice(from, at)
        if (portion.charCodeAt(at) === OPENING_BRACKET) {
          if (!this.#beginsItems(text)) this.#depth += 1
          continue
        }
        this.#gather(text)
        elements.push(this.#finished())
        this.#state = 'between'
      } else at = this.#endOfSpace(portion, at)
      if (at < portion.length && this.#begins(portion.charCodeAt(at))) from = at
    }
    if (this.#state === 'element') this.#gather(portion.slice(from))
    return elements
  }

  /** Ends the text. */
  end(): void {
    if (this.#state !== 'after') throw this.#wrong('ends too early')
  }

  /** After white space. */
  #endOfSpace(portion: string, from: number): number {
    let at = from
    let lines = 0
    for (; at < portion.length; at += 1) {
      const code = portion.charCodeAt(at)
      if (!isSpace(code)) break
      if (code === NEWLINE) lines += 1
    }
    this.#line += lines
    return at
  }

  /**
   * Within an element: where it ends, or where a list begins that may be `items`; the portion's length where it goes on.
   * The state is kept in variables meanwhile: this sees every character of a file.
   */
  #endOfElement(portion: string, from: number): number {
    const mayBeItems = this.#inside === 'object'
    let depth = this.#depth
    let isInString = this.#isInString
    let isEscaped = this.#isEscaped
    let lines = 0
    let at = from
    for (; at < portion.length; at += 1) {
      const code = portion.charCodeAt(at)
      if (code === NEWLINE) lines += 1
      if (isInString) {
        if (isEscaped) isEscaped = false
        else if (code === BACKSLASH) isEscaped = true
        else if (code === QUOTE) isInString = false
      } else if (code === QUOTE) isInString = true
      else if (code === OPENING_BRACE) depth += 1
      else if (code === OPENING_BRACKET) {
        if (mayBeItems && depth === 0) break
        depth += 1
      } else if (code === CLOSING_BRACE || code === CLOSING_BRACKET) {
        if (depth === 0) break
        depth -= 1
      } else if (code === COMMA && depth === 0) break
    }
    this.#depth = depth
    this.#isInString = isInString
    this.#isEscaped = isEscaped
    this.#line += lines
    return at
  }

  /** Whether the list that begins after a member's text is `items`. */
  #beginsItems(text: string): boolean {
    const member = this.#text + text.slice(0, ITEMS_LENGTH)
    if (!ITEMS.test(member)) return false
    if (this.#hasList) throw this.#wrong('comes twice')
    this.#text = ''
    this.#inside = 'items'
    this.#hasList = true
    this.#state = 'first'
    return true
  }

  /** Outside of an element: whether one begins here. */
  #begins(code: number): boolean {
    if (this.#state === 'before') this.#open(code)
    else if (this.#state === 'between' && code === COMMA) this.#state = 'next'
    else if (this.#state === 'between' || this.#state === 'first') {
      if (code === (this.#inside === 'object' ? CLOSING_BRACE : CLOSING_BRACKET)) this.#close()
      else if (this.#state === 'first') return this.#begin(code)
      else throw this.#wrong('is not well formed')
    } else if (this.#state === 'next') return this.#begin(code)
    else if (this.#state === 'after' && !this.#hasList)
      throw new SyntaxError(`${NO_LIST}; a file of one item a line is called .jsonl`)
    else throw this.#wrong('is not well formed')
    return false
  }

  #open(code: number): void {
    if (code !== OPENING_BRACKET && code !== OPENING_BRACE) throw new SyntaxError(NO_LIST)
    this.#inside = code === OPENING_BRACKET ? 'list' : 'object'
    this.#hasList = code === OPENING_BRACKET
    this.#state = 'first'
  }

  #close(): void {
    this.#state = this.#inside === 'items' ? 'between' : 'after'
    if (this.#inside === 'items') this.#inside = 'object'
  }

  #begin(code: number): boolean {
    if (code === COMMA || code === CLOSING_BRACKET || code === CLOSING_BRACE)
      throw this.#wrong('is not well formed')
    this.#state = 'element'
    this.#begunIn = this.#line
    this.#isInString = code === QUOTE
    if (code === OPENING_BRACE || code === OPENING_BRACKET) this.#depth += 1
    return true
  }

  #gather(text: string): void {
    if (this.#text.length + text.length > this.#longest) {
      this.#isTooLong = true
      this.#text = ''
    } else if (!this.#isTooLong) this.#text += text
  }

  #finished(): Element {
    const text = this.#isTooLong ? undefined : this.#text
    const element: Element = {
      line: this.#begunIn,
      text,
      ...(this.#inside === 'object' && { isMember: true }),
    }
    this.#text = ''
    this.#isTooLong = false
    return element
  }

  #wrong(what: string): SyntaxError {
    return new SyntaxError(`the list ${what}, in line ${this.#line}`)
  }
}
