import { isUtf8 } from 'node:buffer'

const NEWLINE = 0x0a
const SPACE = 0x20
const TAB = 0x09
const RETURN = 0x0d
/** Blank lines that hold more than spaces and tabs. */
const MOST_BLANK = 1_048_576
const BYTE_ORDER_MARK = '\ufeff'

const OTHER_SPACES =
  '\v\f\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff'
const LONGEST_SPACE = 3

/** Bytes as one number; no bytes as 1, so that bytes of zero count. */
const withByte = (number: number, byte: number): number => number * 256 + byte
const OTHER_SPACE = new Set(Array.from(OTHER_SPACES, space => Buffer.from(space).reduce(withByte, 1)))

/** How many bytes of other white space begin here; 0 for anything else, and where a chunk ends within it. */
const otherSpaceAt = (chunk: Uint8Array, at: number): number => {
  let number = 1
  for (let length = 1; length <= LONGEST_SPACE; length += 1) {
    number = withByte(number, chunk[at + length - 1] ?? 0)
    if (OTHER_SPACE.has(number)) return length
  }
  return 0
}

/** A line that holds something. `fault` instead of its text: why it cannot be read. */
export type Line = Readonly<{ line: number; text: string } | { line: number; fault: string }>

/** The part of the current line that has arrived; beyond the limit only its size is kept. */
class OpenLine {
  readonly #maxBytes: number
  #pieces: Uint8Array[] = []
  #bytes = 0
  #number = 1
  #blank = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** More blank lines than any real file has. */
  get isTooBlank(): boolean {
    return this.#blank > MOST_BLANK
  }

  /** The line that is being read. */
  get number(): number {
    return this.#number
  }

  add(piece: Uint8Array): void {
    this.#bytes += piece.length
    if (this.#bytes <= this.#maxBytes) this.#pieces.push(piece)
    else this.#pieces = []
  }

  /**
   * Skips the blank lines that begin here, without inspecting each. Returns where the first one begins that may hold
   * something.
   */
  passBlank(chunk: Uint8Array, from: number): number {
    if (this.#bytes > 0) return from
    let begin = from
    let lines = 0
    let linesOfOthers = 0
    let hasOther = false
    for (let at = from; at < chunk.length && at - begin <= this.#maxBytes; at += 1) {
      const byte = chunk[at]
      if (byte === NEWLINE) {
        lines += 1
        if (hasOther) linesOfOthers += 1
        hasOther = false
        begin = at + 1
      } else if (byte !== SPACE && byte !== TAB && byte !== RETURN) {
        const length = otherSpaceAt(chunk, at)
        if (length === 0) break
        hasOther = true
        at += length - 1
      }
    }
    this.#number += lines
    this.#blank += linesOfOthers
    return begin
  }

  /** Closes it; undefined when it was blank. */
  end(): Line | undefined {
    const line = this.#number
    const bytes = this.#bytes
    const pieces = this.#pieces
    this.#number += 1
    this.#bytes = 0
    this.#pieces = []
    if (bytes > this.#maxBytes)
      return { line, fault: `the line is longer than ${this.#maxBytes.toLocaleString('en')} bytes` }
    const whole = pieces.length === 1 ? Buffer.from(pieces[0] as Uint8Array) : Buffer.concat(pieces)
    if (!isUtf8(whole)) return { line, fault: 'the line is not valid UTF-8' }
    let text = whole.toString()
    if (line === 1 && text.startsWith(BYTE_ORDER_MARK)) text = text.slice(1)
    if (text.endsWith('\r')) text = text.slice(0, -1)
    if (text.trim() !== '') return { line, text }
    this.#blank += 1
    return undefined
  }
}

/**
 * The lines of a text as its bytes come, one in memory at a time. Blank ones are counted but left out, and so is a
 * byte order mark; CRLF ends a line too. A text of more than 1,048,576 blank lines that hold white space other than
 * spaces and tabs ends there, with a fault.
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Line> {
  const open = new OpenLine(maxBytes)
  for await (const chunk of chunks) {
    let from = open.passBlank(chunk, 0)
    for (let end = chunk.indexOf(NEWLINE, from); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      open.add(chunk.subarray(from, end))
      const line = open.end()
      from = open.passBlank(chunk, end + 1)
      if (line) yield line
    }
    if (open.isTooBlank)
      return yield {
        line: open.number,
        fault: `comes after ${MOST_BLANK.toLocaleString('en')} blank lines`,
      }
    open.add(chunk.subarray(from))
  }
  const last = open.end()
  if (last) yield last
}
