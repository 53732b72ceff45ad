/** Tests of single UTF-16 code units, by number: the inner loops of the detectors. */
export type CodeTest = (code: number) => boolean

/** A test of ASCII characters by a table. */
export const oneOf = (pattern: RegExp): CodeTest => {
  const table = Uint8Array.from({ length: 128 }, (_, code) =>
    pattern.test(String.fromCharCode(code)) ? 1 : 0,
  )
  return code => table[code] === 1
}

export const isDigit: CodeTest = code => code >= 48 && code <= 57
export const isUpper: CodeTest = code => code >= 65 && code <= 90
export const isLetter = oneOf(/[A-Za-z]/)
export const isAlphanumeric = oneOf(/[A-Za-z0-9]/)
export const isWord = oneOf(/\w/)
export const isHex = oneOf(/[0-9A-Fa-f]/)
/** Space, tab, line feed or carriage return. */
export const isSpace: CodeTest = code => code === 32 || code === 9 || code === 10 || code === 13

/** The code unit at an index; NaN, which passes no test, outside the text. */
export const codeAt = (text: string, index: number): number => text.charCodeAt(index)

/**
 * Where the first run begins, from a position on, of so many code units or more that pass a test; -1 where there is none.
 * Most of a text with short runs is skipped.
 */
export const runStart = (text: string, from: number, length: number, test: CodeTest): number => {
  let start = from
  while (start + length <= text.length) {
    let at = start + length - 1
    while (at >= start && test(text.charCodeAt(at))) at -= 1
    if (at < start) return start
    start = at + 1
  }
  return -1
}

/** Whether so many code units in a row pass a test. */
export const hasRun = (text: string, length: number, test: CodeTest): boolean =>
  runStart(text, 0, length, test) !== -1

/** The end of the run of code units that pass a test, at most `limit` of them. */
export const runEnd = (text: string, start: number, limit: number, test: CodeTest): number => {
  const stop = Math.min(text.length, start + limit)
  let end = start
  while (end < stop && test(text.charCodeAt(end))) end += 1
  return end
}
