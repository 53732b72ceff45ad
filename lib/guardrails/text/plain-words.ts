const LETTER = 1
const DIGIT = 2
const KINDS = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code)
  return /[A-Za-z]/.test(character) ? LETTER : /\d/.test(character) ? DIGIT : 0
})

const APOSTROPHE = 39
/** Makes a small letter of a capital, and leaves digits as they are. */
const LOWER_CASE = 32

/** The hash of a word with one more letter or digit. */
const withCharacter = (hash: number, code: number): number => (Math.imul(hash, 31) + (code | LOWER_CASE)) | 0

/** Code units of the longest text that is read. */
export const LONGEST_READ = 4_096
const MOST_WORDS = LONGEST_READ / 2

/**
 * The words of a text of plain ASCII, as `tokensOf` splits it, but without a copy of any of them. It is filled again with
 * each text that it reads.
 */
export class PlainWords {
  count = 0
  /** The hash of each word: of its letters and digits in lower case. */
  readonly hashes = new Int32Array(MOST_WORDS)
  /** How many letters and digits a word has. */
  readonly lengths = new Uint16Array(MOST_WORDS)
  /** How many of them are digits. */
  readonly digits = new Uint16Array(MOST_WORDS)
  readonly starts = new Uint16Array(MOST_WORDS)
  readonly ends = new Uint16Array(MOST_WORDS)

  read(text: string): void {
    this.count = 0
    let at = 0
    while (at < text.length) at = KINDS[text.charCodeAt(at)] ? this.#readWord(text, at) : at + 1
  }

  /** Returns where the word ends: after an apostrophe only letters go on, such as the `t` of `don't`. */
  #readWord(text: string, start: number): number {
    let hash = 0
    let digits = 0
    let apostrophes = 0
    let at = start
    for (; at < text.length; at += 1) {
      const code = text.charCodeAt(at)
      const kind = KINDS[code] ?? 0
      if (kind === LETTER || (kind === DIGIT && apostrophes === 0)) hash = withCharacter(hash, code)
      else if (code !== APOSTROPHE || apostrophes > 0 || !isLetterAt(text, at + 1)) break
      else apostrophes = 1
      if (kind === DIGIT) digits += 1
    }
    this.hashes[this.count] = hash
    this.lengths[this.count] = at - start - apostrophes
    this.digits[this.count] = digits
    this.starts[this.count] = start
    this.ends[this.count] = at
    this.count += 1
    return at
  }
}

const isLetterAt = (text: string, at: number): boolean =>
  at < text.length && KINDS[text.charCodeAt(at)] === LETTER

/** The hash that a word of small letters and digits has in a text. */
export const hashOf = (word: string): number => {
  let hash = 0
  for (let at = 0; at < word.length; at += 1) hash = withCharacter(hash, word.charCodeAt(at))
  return hash
}

/** Values by the hashes of words. Most words of a text have none, which a table with a bit for each ending of a hash shows. */
export class WordMap<T> {
  readonly #values = new Map<number, T>()
  readonly #endings: Uint8Array

  /** @param bits of a hash that are its ending: many more endings than words */
  constructor(bits: number) {
    this.#endings = new Uint8Array(2 ** bits)
  }

  get(hash: number): T | undefined {
    return this.#endings[hash & (this.#endings.length - 1)] === 1 ? this.#values.get(hash) : undefined
  }

  set(hash: number, value: T): void {
    this.#endings[hash & (this.#endings.length - 1)] = 1
    this.#values.set(hash, value)
  }
}
