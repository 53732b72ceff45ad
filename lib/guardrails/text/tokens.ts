import { lookAlike } from './confusables.ts'
import { foldCharacter } from './fold-character.ts'

/** A word of a text as it is compared, with its place in the original. */
export interface Token {
  /** Folded: compatibility forms resolved, no diacritics, lower case, invisible characters left out. */
  readonly text: string
  /** The same with look-alikes of other scripts as Latin letters; absent where there are none. */
  readonly latin?: string
  readonly start: number
  readonly end: number
}

const ASCII_TOKEN = /[A-Za-z0-9]+(?:'[A-Za-z]+)?/g
const BEYOND_ASCII = /[^\t-~]/

/** Format characters: zero-width, bidirectional, tags, variation selectors; and combining marks. */
const IGNORED = /^[\p{Cf}\p{M}\u115f\u1160\u3164\uffa0]$/u
const WORD = /^[\p{L}\p{N}]+$/u
/** Scripts that write no spaces, and Korean, whose words carry endings: each character is a token of its own. */
const SINGLE = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]$/u
/** Letters that NFKC leaves: squared and negative circled capitals, regional indicators. */
const ENCLOSED: readonly (readonly [number, number])[] = [
  [0x1f130, 26],
  [0x1f150, 26],
  [0x1f170, 26],
  [0x1f1e6, 26],
]

const enclosedLetter = (point: number): string | undefined => {
  const block = ENCLOSED.find(([first, length]) => point >= first && point < first + length)
  return block && String.fromCharCode(97 + point - block[0])
}

/** A tag character (U+E0020 to U+E007E) hides an ASCII character: it is read as that. */
const tagCharacter = (point: number): string | undefined =>
  point >= 0xe0020 && point <= 0xe007e ? String.fromCharCode(point - 0xe0000).toLowerCase() : undefined

/** A character as it is compared. */
interface Reading {
  readonly text: string
  readonly latin: string
  readonly isWord: boolean
  /** A token of its own. */
  readonly isSingle: boolean
}

const cache = new Map<string, Reading>()
const MOST_CACHED = 8192

const read = (character: string): Reading => {
  const known = cache.get(character)
  if (known) return known
  if (cache.size >= MOST_CACHED) cache.clear()
  const point = character.codePointAt(0) ?? 0
  const text =
    enclosedLetter(point) ?? tagCharacter(point) ?? (IGNORED.test(character) ? '' : foldCharacter(character))
  const look = lookAlike(character) ?? Array.from(text, part => lookAlike(part) ?? part).join('')
  const latin = text === '' ? '' : look
  const value = { text, latin, isWord: WORD.test(text) || WORD.test(latin), isSingle: SINGLE.test(text) }
  cache.set(character, value)
  return value
}

/** Left out of a word: `don't` is read as `dont`. */
const isApostrophe = (character: string): boolean => character === "'" || character === '’'

/** Whether a text has only printable ASCII characters and white space. */
export const isAscii = (text: string): boolean => !BEYOND_ASCII.test(text)

const asciiTokens = (text: string, base: number): Token[] =>
  Array.from(text.matchAll(ASCII_TOKEN), ({ 0: word, index }) => ({
    text: word.toLowerCase().replace("'", ''),
    start: base + index,
    end: base + index + word.length,
  }))

/** Splits a text into words. @param base where it begins in the original */
export const tokensOf = (text: string, base = 0): Token[] => {
  if (isAscii(text)) return asciiTokens(text, base)
  const tokens: Token[] = []
  let folded = ''
  let latin = ''
  let start = 0
  let end = 0
  const finish = (): void => {
    if (folded !== '')
      tokens.push({ text: folded, ...(latin !== folded && { latin }), start: base + start, end: base + end })
    folded = ''
    latin = ''
  }
  let index = 0
  for (const character of text) {
    const { text: part, latin: look, isWord, isSingle } = read(character)
    const isInWord = isWord || (isApostrophe(part) && folded !== '')
    if (part !== '' && (!isInWord || isSingle)) finish()
    if (part !== '' && isInWord) {
      if (folded === '') start = index
      if (isWord) {
        folded += part
        latin += look
      }
      end = index + character.length
      if (isSingle) finish()
    }
    index += character.length
  }
  finish()
  return tokens
}
