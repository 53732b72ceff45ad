import { lookAlike } from './confusables.ts'
import { foldCharacter } from './fold-character.ts'

/** A word of a text as it is compared, with its place in the original. */
export interface Token {
  /** Folded: compatibility forms resolved, no diacritics, lower case, invisible characters left out. */
  readonly text: string
  /** `text` with look-alikes of other scripts as Latin letters; absent where there are none. */
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

const isSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdfff

/** Whether a text has only printable ASCII characters and white space. */
export const isAscii = (text: string): boolean => !BEYOND_ASCII.test(text)

const asciiTokens = (text: string, base: number): Token[] =>
  Array.from(text.matchAll(ASCII_TOKEN), ({ 0: word, index }) => ({
    text: word.toLowerCase().replace("'", ''),
    start: base + index,
    end: base + index + word.length,
  }))

/** What code units are to words that hold nothing special. */
const UNKNOWN = 0
const LETTER = 1
/** A word of its own. */
const SINGLE_LETTER = 2
const SEPARATOR = 3
/** What makes a word special: its code units are read one by one. */
const SPECIAL = 4

const kinds = new Uint8Array(0x10000)

const kindRead = (code: number): number => {
  const character = String.fromCharCode(code)
  const { text, isWord, isSingle } = read(character)
  if (isSurrogate(code) || text === '' || isApostrophe(text)) return SPECIAL
  if (!isWord) return SEPARATOR
  return isSingle ? SINGLE_LETTER : LETTER
}

const kindOf = (code: number): number => {
  if (kinds[code] === UNKNOWN) kinds[code] = kindRead(code)
  return kinds[code] ?? SPECIAL
}

/** A word without its place. */
type Word = Readonly<Pick<Token, 'text' | 'latin'>>

const wordOf = (text: string, latin: string): Word => (latin === text ? { text } : { text, latin })

const words = new Map<string, Word>()

/** A word of letters alone. */
const readWord = (written: string): Word => {
  const known = words.get(written)
  if (known) return known
  if (words.size >= MOST_CACHED) words.clear()
  const readings = Array.from(written, read)
  const word = wordOf(readings.map(({ text }) => text).join(''), readings.map(({ latin }) => latin).join(''))
  words.set(written, word)
  return word
}

/** After the word without anything special that begins at an index; the index itself where there is none. */
const endOfPlainWord = (text: string, from: number): number => {
  if (kindOf(text.charCodeAt(from)) === SINGLE_LETTER) return from + 1
  let at = from
  while (at < text.length && kindOf(text.charCodeAt(at)) === LETTER) at += 1
  return at < text.length && kindOf(text.charCodeAt(at)) === SPECIAL ? from : at
}

/** The words of a text, some of which may hold what is left out or read as something else. */
class Tokenizer {
  readonly tokens: Token[] = []
  readonly #text: string
  readonly #base: number
  #folded = ''
  #latin = ''
  #start = 0
  #end = 0

  constructor(text: string, base: number) {
    this.#text = text
    this.#base = base
  }

  run(): void {
    for (let index = 0; index < this.#text.length; )
      index = (this.#folded === '' ? this.#readWord(index) : undefined) ?? this.#readCharacter(index)
    this.#finish()
  }

  #readWord(from: number): number | undefined {
    const end = endOfPlainWord(this.#text, from)
    if (end === from) return undefined
    this.#add(readWord(this.#text.slice(from, end)), from, end)
    return end
  }

  #readCharacter(index: number): number {
    const character = String.fromCodePoint(this.#text.codePointAt(index) ?? 0)
    const end = index + character.length
    const { text, latin, isWord, isSingle } = read(character)
    if (text === '') return end
    const isInWord = isWord || (isApostrophe(text) && this.#folded !== '')
    if (!isInWord || isSingle) this.#finish()
    if (!isInWord) return end
    if (this.#folded === '') this.#start = index
    if (isWord) {
      this.#folded += text
      this.#latin += latin
    }
    this.#end = end
    if (isSingle) this.#finish()
    return end
  }

  #finish(): void {
    if (this.#folded !== '') this.#add(wordOf(this.#folded, this.#latin), this.#start, this.#end)
    this.#folded = ''
    this.#latin = ''
  }

  #add({ text, latin }: Word, from: number, to: number): void {
    const start = this.#base + from
    const end = this.#base + to
    this.tokens.push(latin === undefined ? { text, start, end } : { text, latin, start, end })
  }
}

/** Splits a text into words. @param base where it begins in the original */
export const tokensOf = (text: string, base = 0): Token[] => {
  if (isAscii(text)) return asciiTokens(text, base)
  const tokenizer = new Tokenizer(text, base)
  tokenizer.run()
  return tokenizer.tokens
}
