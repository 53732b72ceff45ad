import { BACKSLASH } from './json-codes.ts'

/** What is read or written in one step: it takes a millisecond or so. */
const PORTION = 65_536
/** Lengths of `\u00e9` and `\n`. */
const LONGEST_ESCAPE = 6
const SHORT_ESCAPE = 2

/** Work on a long text: it yields after each portion, so that other work can run in between. */
type Steps = Generator<undefined, string>

/** Pieces as one text. One of 15 million characters takes 20 ms: the same step does nothing else. */
function* joined(pieces: readonly string[]): Steps {
  yield
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
const endOfPortion = (written: string, from: number): number => {
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
export function* readJsonString(written: string): Steps {
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

/** A text as a JSON string, with its quotes, as `JSON.stringify` writes it. */
export function* writeJsonString(text: string): Steps {
  if (text.length <= PORTION) return JSON.stringify(text)
  const pieces = ['"']
  for (let from = 0; from < text.length; ) {
    const wanted = from + PORTION
    // The halves of a pair would be written as escapes.
    const end = isHighSurrogate(text.charCodeAt(wanted - 1)) ? wanted - 1 : wanted
    pieces.push(JSON.stringify(text.slice(from, end)).slice(1, -1))
    from = end
    yield
  }
  pieces.push('"')
  return yield* joined(pieces)
}
