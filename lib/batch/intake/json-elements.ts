const SPACE = new Set([' ', '\t', '\n', '\r'])

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
      const character = portion[at] as string
      if (this.#state === 'element') {
        if (character === '[' && this.#beginsItems(portion.slice(from, at))) continue
        if (!this.#isOver(character)) {
          if (character === '\n') this.#line += 1
          continue
        }
        this.#gather(portion.slice(from, at))
        elements.push(this.#finished())
        this.#state = 'between'
      }
      if (character === '\n') this.#line += 1
      if (SPACE.has(character)) continue
      if (this.#begins(character)) from = at
    }
    if (this.#state === 'element') this.#gather(portion.slice(from))
    return elements
  }

  /** Ends the text. */
  end(): void {
    if (this.#state !== 'after') throw this.#wrong('ends too early')
  }

  /** Whether an element ends before this character. */
  #isOver(character: string): boolean {
    if (this.#isInString) {
      if (this.#isEscaped) this.#isEscaped = false
      else if (character === '\\') this.#isEscaped = true
      else if (character === '"') this.#isInString = false
      return false
    }
    if (character === '"') this.#isInString = true
    else if (character === '{' || character === '[') this.#depth += 1
    else if (character === '}' || character === ']') {
      if (this.#depth === 0) return true
      this.#depth -= 1
    } else if (character === ',') return this.#depth === 0
    return false
  }

  /** Whether the list `items` of an object begins here. */
  #beginsItems(text: string): boolean {
    if (this.#inside !== 'object' || this.#depth > 0 || this.#isInString) return false
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
  #begins(character: string): boolean {
    if (this.#state === 'before') this.#open(character)
    else if (this.#state === 'between' && character === ',') this.#state = 'next'
    else if (this.#state === 'between' || this.#state === 'first') {
      if (character === (this.#inside === 'object' ? '}' : ']')) this.#close()
      else if (this.#state === 'first') return this.#begin(character)
      else throw this.#wrong('is not well formed')
    } else if (this.#state === 'next') return this.#begin(character)
    else if (this.#state === 'after' && !this.#hasList)
      throw new SyntaxError(`${NO_LIST}; a file of one item a line is called .jsonl`)
    else throw this.#wrong('is not well formed')
    return false
  }

  #open(character: string): void {
    if (character !== '[' && character !== '{') throw new SyntaxError(NO_LIST)
    this.#inside = character === '[' ? 'list' : 'object'
    this.#hasList = character === '['
    this.#state = 'first'
  }

  #close(): void {
    this.#state = this.#inside === 'items' ? 'between' : 'after'
    if (this.#inside === 'items') this.#inside = 'object'
  }

  #begin(character: string): boolean {
    if (character === ',' || character === ']' || character === '}') throw this.#wrong('is not well formed')
    this.#state = 'element'
    this.#begunIn = this.#line
    this.#isOver(character)
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
