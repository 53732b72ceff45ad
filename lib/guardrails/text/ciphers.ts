import type { Token } from './tokens.ts'

const A = 97
const LETTERS = 26

/** A way to change each word of a text on its own. */
export interface Cipher {
  readonly name: string
  readonly decode: (word: string) => string
  readonly encode: (word: string) => string
  /** The words stand in reversed order as well. */
  readonly isReversedOrder?: boolean
}

/** In UTF-16 code units, which leaves pairs as they are: this is done for each known word and cipher at the start. */
const mapLetters = (word: string, map: (index: number) => number): string => {
  let mapped = ''
  for (let at = 0; at < word.length; at += 1) {
    const index = word.charCodeAt(at) - A
    mapped += index >= 0 && index < LETTERS ? String.fromCharCode(A + map(index)) : word.charAt(at)
  }
  return mapped
}

const reversed = (word: string): string => Array.from(word).reverse().join('')

const atbash = (word: string): string => mapLetters(word, letter => LETTERS - 1 - letter)

const shifts: readonly Cipher[] = Array.from({ length: LETTERS - 1 }, (_, index) => ({
  name: index + 1 === 13 ? 'rot13' : `caesar-${index + 1}`,
  decode: word => mapLetters(word, letter => (letter + index + 1) % LETTERS),
  encode: word => mapLetters(word, letter => (letter + LETTERS - index - 1) % LETTERS),
}))

export const CIPHERS: readonly Cipher[] = [
  ...shifts,
  { name: 'atbash', decode: atbash, encode: atbash },
  { name: 'reversed-words', decode: reversed, encode: reversed },
  { name: 'reversed', decode: reversed, encode: reversed, isReversedOrder: true },
]

/** A word of this length is hardly, in cipher, a word of another language. */
const LONG_WORD = 6
const SHORT_WORD = 3

/** Ciphers that each word of a text speaks for. */
export interface CipherSigns {
  /** One such word is enough. */
  readonly long: ReadonlyMap<string, readonly Cipher[]>
  /** Two of them are: only for the ciphers in use, since short words look like others in one of 25 shifts. */
  readonly short: ReadonlyMap<string, readonly Cipher[]>
}

const indexOf = (
  words: readonly string[],
  ciphers: readonly Cipher[],
): ReadonlyMap<string, readonly Cipher[]> => {
  const index = new Map<string, Cipher[]>()
  for (const cipher of ciphers)
    for (const word of words) {
      const hidden = cipher.encode(word)
      if (hidden === word) continue
      const known = index.get(hidden)
      if (known) known.push(cipher)
      else index.set(hidden, [cipher])
    }
  return index
}

/** What known words become in each cipher: so a text in cipher is noticed at the cost of a look-up a word. */
export const cipherSigns = (known: ReadonlySet<string>): CipherSigns => {
  const words = [...known].filter(word => /^[a-z]+$/.test(word))
  const isCommon = ({ name }: Cipher): boolean => !name.startsWith('caesar')
  return {
    long: indexOf(
      words.filter(word => word.length >= LONG_WORD),
      CIPHERS,
    ),
    short: indexOf(
      words.filter(word => word.length >= SHORT_WORD && word.length < LONG_WORD),
      CIPHERS.filter(isCommon),
    ),
  }
}

/** The ciphers that the words of a text speak for, those with most words first. */
export const ciphersOf = (tokens: readonly Token[], signs: CipherSigns): Cipher[] => {
  const counts = new Map<Cipher, number>()
  const count = (ciphers: readonly Cipher[] | undefined, by: number): void => {
    for (const cipher of ciphers ?? []) counts.set(cipher, (counts.get(cipher) ?? 0) + by)
  }
  for (const { text, latin = text } of tokens) {
    count(signs.long.get(latin), 2)
    count(signs.short.get(latin), 1)
  }
  return [...counts]
    .filter(([, times]) => times > 1)
    .toSorted(([, a], [, b]) => b - a)
    .map(([cipher]) => cipher)
}

/** The words of a text as a cipher reads them. */
export const decipher = (tokens: readonly Token[], cipher: Cipher): Token[] => {
  const read = tokens.map(({ text, latin, start, end }) => ({
    text: cipher.decode(latin ?? text),
    start,
    end,
  }))
  return cipher.isReversedOrder ? read.reverse() : read
}
