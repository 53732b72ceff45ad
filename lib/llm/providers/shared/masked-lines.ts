import { parseJson } from './lenient.ts'

const LINE_FEED = 10
const CARRIAGE_RETURN = 13
const NOTHING = new Uint8Array()
/** Longer lines hold media, and no error. */
const MOST_BYTES = 65_536
const DATA = 'data:'
const END_MARK = '[DONE]'

const isMalformed = (line: string): boolean => {
  const data = line.startsWith(DATA) ? line.slice(DATA.length).trim() : ''
  return data !== '' && data !== END_MARK && parseJson(data) === undefined
}

/**
 * The bytes of a stream of events as they come, but in whole lines, and without secrets from the first error, or the
 * first data that is not JSON: an upstream's error may repeat the key that it was sent, in one piece or in two.
 */
export class MaskedLines {
  readonly #redact: (text: string) => string
  #held: Uint8Array[] = []
  #hasError = false

  constructor(redact: (text: string) => string) {
    this.#redact = redact
  }

  /** Takes a piece, and returns the lines that it completes. */
  push(bytes: Uint8Array): Uint8Array {
    const end = Math.max(bytes.lastIndexOf(LINE_FEED), bytes.lastIndexOf(CARRIAGE_RETURN)) + 1
    if (end === 0) {
      this.#held.push(bytes)
      return NOTHING
    }
    const isWhole = this.#held.length === 0 && end === bytes.length
    const lines = isWhole ? bytes : Buffer.concat([...this.#held, bytes.subarray(0, end)])
    this.#held = end === bytes.length ? [] : [bytes.subarray(end)]
    return this.#masked(lines)
  }

  /** The last line, which has no end. */
  rest(): Uint8Array {
    return this.#masked(Buffer.concat(this.#held.splice(0)))
  }

  #masked(lines: Uint8Array): Uint8Array {
    const buffer = Buffer.from(lines.buffer, lines.byteOffset, lines.byteLength)
    if (!this.#hasError && buffer.length > MOST_BYTES) return lines
    const text = buffer.toString('utf8')
    this.#hasError ||= text.includes('error') || text.split('\n').some(isMalformed)
    if (!this.#hasError) return lines
    const clean = this.#redact(text)
    return clean === text ? lines : Buffer.from(clean)
  }
}
