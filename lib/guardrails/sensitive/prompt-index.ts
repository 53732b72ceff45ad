import { isWord } from '../scan/characters.ts'

/** Places of a text are put together by so many characters. */
export const HEAD = 3

/** Where words of a text begin that are followed by enough of it, found by what follows. Building it takes linear time. */
export class PromptIndex {
  readonly #text: string
  readonly #depth: number
  /** The first characters of all places, up to `HEAD` of them. */
  readonly #beginnings = new Set<string>()
  readonly #byHead = new Map<string, number[]>()
  readonly #sorted = new Set<string>()

  /** @param depth how many characters follow each place, and are compared to order them */
  constructor(text: string, depth: number) {
    this.#text = text
    this.#depth = depth
    for (let start = 0; start + depth <= text.length; start += 1)
      if (text.charAt(start) !== ' ' && (start === 0 || !isWord(text.charCodeAt(start - 1)))) this.#add(start)
  }

  /** Whether a place begins so. */
  begins(head: string): boolean {
    return this.#beginnings.has(head)
  }

  /** The places with that head, ordered by what follows: those that are asked for are sorted once. */
  startsOf(head: string): readonly number[] {
    const starts = this.#byHead.get(head) ?? []
    if (!this.#sorted.has(head)) this.#sort(starts)
    this.#sorted.add(head)
    return starts
  }

  #add(start: number): void {
    const head = this.#text.slice(start, start + HEAD)
    const known = this.#byHead.get(head)
    if (known) known.push(start)
    else {
      this.#byHead.set(head, [start])
      for (let length = 1; length <= HEAD; length += 1) this.#beginnings.add(head.slice(0, length))
    }
  }

  /** Equal places keep their order. */
  #sort(starts: number[]): void {
    const keys = new Map(starts.map(start => [start, this.#text.slice(start, start + this.#depth)]))
    const keyOf = (start: number): string => keys.get(start) ?? ''
    starts.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : a - b))
  }
}
