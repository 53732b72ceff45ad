import type { SseEvent } from '../../../sse-parser.ts'

/** What a JSON string must write as an escape. */
const NEEDS_ESCAPE = /[^ !#-[\]-\uffff]/

/** A copy of its own: a part of a string keeps the whole of it in memory, here all that was read of a socket at once. */
const copied = (text: string): string => Buffer.from(text, 'utf16le').toString('utf16le')

/**
 * Recognises chunks that differ from an earlier one in one text alone, as those of a streamed answer do: their text is
 * cut out, which takes a tenth of the time of parsing them. It is sure of what it says: every other chunk is left to
 * the parser.
 */
export class RepeatedChunk {
  readonly #name: string
  #event = ''
  #before: string | undefined
  #after = ''

  /** @param member the name of the member that holds the text */
  constructor(member: string) {
    this.#name = JSON.stringify(member)
  }

  forget(): void {
    this.#before = undefined
  }

  /** Remembers a chunk of which nothing but this text is new, unless the place of its text is not certain. */
  learn({ event, data }: SseEvent, text: string): void {
    const at = data.indexOf(this.#name)
    if (at === -1 || data.indexOf(this.#name, at + 1) !== -1) return
    const written = JSON.stringify(text)
    const start = data.indexOf('"', at + this.#name.length)
    if (data.slice(at + this.#name.length, start).trim() !== ':' || !data.startsWith(written, start)) return
    this.#event = event
    this.#before = copied(data.slice(0, start + 1))
    this.#after = copied(data.slice(start + written.length - 1))
  }

  /** The text of a chunk that is otherwise the same as the one that was learned; undefined of any other. */
  textOf({ event, data }: SseEvent): string | undefined {
    const before = this.#before
    if (before === undefined || event !== this.#event) return undefined
    const end = data.length - this.#after.length
    if (end <= before.length || data.slice(0, before.length) !== before || data.slice(end) !== this.#after)
      return undefined
    const text = data.slice(before.length, end)
    return NEEDS_ESCAPE.test(text) ? undefined : text
  }
}
