import { BACKSLASH } from './json-codes.ts'
import { LONG_STEP, type Steps } from './loop-turns.ts'

/** What is read or written in one step: it takes a millisecond or so. */
const PORTION = 65_536
/** Lengths of `\u00e9` and `\n`. */
const LONGEST_ESCAPE = 6
const SHORT_ESCAPE = 2

/** Pieces as one text: one of 15 million characters takes 20 ms. */
function* joined(pieces: readonly string[]): Steps<string> {
  yield LONG_STEP
  const text = pieces.join('')
  yield
  return text
}

/** Whether an escape begins at a backslash, which may itself be escaped. @param from where an escape may begin at the earliest */
const beginsEscape = (text: string, backslash: number, from: number): boolean => {
  let before = backslash
  while (before > from && text.charCodeAt(before - 1) === BACKSLASH) before -= 1
  return (backslash - before) % 2 === 0
}

/** The end of a portion of a string that begins at `from`: an escape stays whole. */
export const endOfPortion = (written: string, from: number): number => {
  const end = from + PORTION
  if (end >= written.length) return written.length
  const near = end - LONGEST_ESCAPE + 1
  const backslash = near + written.slice(near, end).lastIndexOf('\\')
  if (backslash < near || !beginsEscape(written, backslash, from)) return end
  const length = written[backslash + 1] === 'u' ? LONGEST_ESCAPE : SHORT_ESCAPE
  return backslash + length > end ? backslash : end
}

/**
 * The text that a JSON string stands for.
 * @param written what stands between its quotes
 * @throws SyntaxError
 */
export function* readJsonString(written: string): Steps<string> {
  if (!written.includes('\\')) return written
  const pieces: string[] = []
  for (let from = 0; from < written.length; ) {
    if (from > 0) yield
    const end = endOfPortion(written, from)
    pieces.push(JSON.parse(`"${written.slice(from, end)}"`))
    from = end
  }
  return pieces.length === 1 ? (pieces[0] ?? '') : yield* joined(pieces)
}

const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdbff

/** The end of a portion of a text that begins at `from`: the halves of a surrogate pair stay together. */
export const portionEnd = (text: string, from: number, length: number): number => {
  const end = from + length
  return isHighSurrogate(text.charCodeAt(end - 1)) ? end - 1 : end
}

/** About how many characters a value takes as JSON, escapes and names not counted; it counts no further than `most`. */
const sizeOf = (value: unknown, most = PORTION): number => {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return 1
  let size = 2
  for (const part of Array.isArray(value) ? value : Object.values(value)) {
    size += 1 + sizeOf(part, most)
    if (size > most) break
  }
  return size
}

/** Whether writing a value takes more than a step. */
export const isLong = (value: unknown): boolean => sizeOf(value) > PORTION

/** Whether a value takes more than that many characters as JSON. One that takes far more is not written. */
export const isLongerThan = (value: unknown, most: number): boolean =>
  // Each list and object is counted with a comma too many.
  sizeOf(value, 2 * most) > 2 * most || JSON.stringify(value).length > most

/** A member of an object, or an element of a list, which has no name. */
type Part = Readonly<{ name?: string; value: unknown }>

const partsOf = (value: object): readonly Part[] =>
  Array.isArray(value)
    ? value.map(element => ({ value: element }))
    : Object.entries(value).flatMap(([name, member]) =>
        member === undefined ? [] : [{ name, value: member }],
      )

/** Short parts as they stand between brackets. */
const written = (parts: readonly Part[]): string =>
  JSON.stringify(
    parts[0]?.name === undefined
      ? parts.map(({ value }) => value)
      : Object.fromEntries(parts.map(({ name, value }) => [name, value])),
  ).slice(1, -1)

const BRACKETS = { list: ['[', ']'], object: ['{', '}'] } as const

/** Writes a value as pieces, each of a portion or so. */
class PieceWriter {
  readonly pieces: string[] = [];

  *value(value: unknown): Steps<void> {
    if (typeof value === 'string') yield* this.#text(value)
    else if (typeof value !== 'object' || value === null || !isLong(value))
      this.pieces.push(JSON.stringify(value))
    else {
      const [opening, closing] = BRACKETS[Array.isArray(value) ? 'list' : 'object']
      this.pieces.push(opening)
      yield* this.#parts(partsOf(value))
      this.pieces.push(closing)
    }
  }

  *#text(text: string): Steps<void> {
    this.pieces.push('"')
    for (let from = 0; from < text.length; ) {
      const end = portionEnd(text, from, PORTION)
      this.pieces.push(JSON.stringify(text.slice(from, end)).slice(1, -1))
      from = end
      yield
    }
    this.pieces.push('"')
  }

  /** Adds as many short parts in one piece as make a portion, and a long one in pieces of its own. */
  *#parts(parts: readonly Part[]): Steps<void> {
    let comma = ''
    const add = (piece: string): void => {
      this.pieces.push(comma + piece)
      comma = ','
    }
    let size = 0
    let short: Part[] = []
    const finish = (): void => {
      if (short.length > 0) add(written(short))
      short = []
      size = 0
    }
    for (const part of parts) {
      const own = sizeOf(part.value)
      if (size + own > PORTION) {
        finish()
        yield
      }
      if (own <= PORTION) {
        short.push(part)
        size += own + (part.name?.length ?? 0)
      } else {
        add(part.name === undefined ? '' : `${JSON.stringify(part.name)}:`)
        yield* this.value(part.value)
      }
    }
    finish()
  }
}

/**
 * A value as `JSON.stringify` writes it. It is made of plain objects, lists, texts, numbers and booleans; a list has no
 * undefined elements.
 */
export function* writeJson(value: unknown): Steps<string> {
  if (!isLong(value)) return JSON.stringify(value)
  const writer = new PieceWriter()
  yield* writer.value(value)
  return yield* joined(writer.pieces)
}
