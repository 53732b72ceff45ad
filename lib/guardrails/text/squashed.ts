import type { Token } from './tokens.ts'

/** Fewest short words in a row that count as spaced-out letters. */
const FEWEST_LETTERS = 7
/** Most letters of a short word. */
const MOST_SHORT = 3
/** A longer word may be several without spaces. */
const LONGEST_WORD = 10
const MOST_LETTERS = 600
/** Letters in a row that are part of no known word, as many as count as one word. */
const LETTERS_PER_WORD = 5
const SHORTEST_KNOWN = 2
/** What a word costs beside a letter that is left over. */
const WORD_COST = 0.01

interface Letter {
  readonly letter: string
  readonly start: number
  readonly end: number
}

/** Whether a word may be several without spaces. */
export const isLongWord = (length: number, hasDigit: boolean): boolean => length > LONGEST_WORD && !hasDigit

const isLong = ({ text }: Token): boolean => isLongWord(text.length, /\d/.test(text))

/** Up to three Latin letters or digits; characters of scripts without spaces are no spaced-out letters. */
const isShort = ({ text, latin = text }: Token): boolean =>
  latin.length > 0 && latin.length <= MOST_SHORT && latin.charCodeAt(0) < 128

const isSpacedOut = (words: number, singles: number): boolean =>
  words >= FEWEST_LETTERS && singles * 2 >= words

/** Counts short words in a row by their lengths alone. */
export class ShortWordRow {
  #words = 0
  #singles = 0

  /** Takes the next word; whether the row may, with it, be letters that were spaced out. */
  isSpacedOutWith(length: number): boolean {
    if (length > MOST_SHORT || this.#words >= MOST_LETTERS) {
      this.#words = 0
      this.#singles = 0
    }
    if (length > MOST_SHORT) return false
    this.#words += 1
    if (length === 1) this.#singles += 1
    return isSpacedOut(this.#words, this.#singles)
  }
}

/** The letters of words, each with its place; of a long word each has the place of the word. */
const lettersOf = (tokens: readonly Token[]): Letter[] =>
  tokens.flatMap(({ text, latin, start, end }) =>
    Array.from(latin ?? text, letter => ({ letter, start, end })),
  )

/** Stretches of a text whose letters are spaced out (`i g n o r e`), or words without spaces between them. */
const stretches = (tokens: readonly Token[]): Letter[][] => {
  const found: Letter[][] = []
  let short: Token[] = []
  const finish = (): void => {
    const singles = short.filter(({ text }) => text.length === 1).length
    if (isSpacedOut(short.length, singles)) found.push(lettersOf(short))
    short = []
  }
  for (const token of tokens) {
    if (isShort(token)) short.push(token)
    else finish()
    if (isLong(token)) found.push(lettersOf([token]))
    if (short.length >= MOST_LETTERS) finish()
  }
  finish()
  return found
}

/** Words by their letters. */
export interface WordTree {
  readonly next: Map<string, WordTree>
  isWord: boolean
}

export const wordTree = (words: Iterable<string>): WordTree => {
  const root: WordTree = { next: new Map(), isWord: false }
  for (const word of words) {
    if (word.length < SHORTEST_KNOWN) continue
    let node = root
    for (const letter of word) {
      const next = node.next.get(letter) ?? { next: new Map(), isWord: false }
      node.next.set(letter, next)
      node = next
    }
    node.isWord = true
  }
  return root
}

/** For each letter the length of the word that begins there, 0 for none, so that as few letters as possible are left over. */
const divided = (letters: readonly Letter[], tree: WordTree): Uint8Array => {
  const leftOver = new Float64Array(letters.length + 1)
  const lengths = new Uint8Array(letters.length)
  for (let index = letters.length - 1; index >= 0; index -= 1) {
    leftOver[index] = (leftOver[index + 1] ?? 0) + 1
    let node: WordTree | undefined = tree
    for (let end = index; node && end < letters.length; end += 1) {
      node = node.next.get(letters[end]?.letter ?? '')
      // Where two ways leave equally many letters over, the one with fewer words is taken.
      const left = (leftOver[end + 1] ?? 0) + WORD_COST
      if (!node?.isWord || left >= (leftOver[index] ?? 0)) continue
      leftOver[index] = left
      lengths[index] = end + 1 - index
    }
  }
  return lengths
}

const wordsIn = (letters: readonly Letter[], tree: WordTree): Token[] => {
  const tokens: Token[] = []
  const lengths = divided(letters, tree)
  let unknown = 0
  for (let index = 0; index < letters.length; ) {
    const length = lengths[index] ?? 0
    const part = letters.slice(index, index + Math.max(1, length))
    const start = part[0]?.start ?? 0
    unknown = length > 0 ? 0 : unknown + 1
    if (length > 0 || unknown % LETTERS_PER_WORD === 0)
      tokens.push({
        text: length > 0 ? part.map(({ letter }) => letter).join('') : '',
        start,
        end: part.at(-1)?.end ?? start,
      })
    index += part.length
  }
  return tokens
}

/** Known words within letters that were spaced out or run together, each stretch a row of words. */
export const squashedTokens = (tokens: readonly Token[], tree: WordTree): readonly (readonly Token[])[] =>
  stretches(tokens).map(letters => wordsIn(letters.slice(0, MOST_LETTERS), tree))
