import { hashOf, LONGEST_READ, PlainWords, WordMap } from '../text/plain-words.ts'
import { isLongWord, ShortWordRow } from '../text/squashed.ts'
import { isAscii, type Token, tokensOf } from '../text/tokens.ts'
import { CIPHERED, KNOWN_WORDS, PATTERNS } from './compile.ts'

/** A step of a pattern. Those of a pattern have numbers in a row. */
interface Step {
  readonly number: number
  readonly isFirst: boolean
  readonly isLast: boolean
  /** How many other words may stand before it. */
  readonly gap: number
}

/** A row of words with which a step is met. */
interface Row {
  readonly step: Step
  /** The words after its first one. */
  readonly others: readonly (Word | undefined)[]
}

/** A word of the rules. Two of the same hash count as one. */
interface Word {
  /** The rows that begin with it, of each pattern those of the last step first. */
  readonly rows: Row[]
}

const PLAIN = /^[a-z0-9]+$/
const words = new WordMap<Word>(16)
for (const word of KNOWN_WORDS) if (PLAIN.test(word)) words.set(hashOf(word), { rows: [] })

const addRow = (step: Step, row: readonly string[]): void => {
  const [first, ...others] = row.map(word => words.get(hashOf(word)))
  if (first && !others.includes(undefined)) first.rows.push({ step, others })
}

let steps = 0
for (const pattern of PATTERNS) {
  for (const [index, { gap, element }] of [...pattern.steps.entries()].reverse()) {
    const isLast = index === pattern.steps.length - 1
    const step = { number: steps + index, isFirst: index === 0, isLast, gap }
    for (const rows of element.values()) for (const row of rows) addRow(step, row)
  }
  steps += pattern.steps.length
}

/** How strongly words speak for a cipher: it takes two. */
const cipherWeights = new WordMap<number>(18)
for (const word of CIPHERED.short.keys()) cipherWeights.set(hashOf(word), 1)
for (const word of CIPHERED.long.keys()) cipherWeights.set(hashOf(word), 2)

/** For each step the last word of the text's latest row that may meet it; one list for all texts. */
const reached = new Int32Array(steps)
const NEVER = -1_000_000

/** Whether the words after the first one of a row stand where they must. */
const isThere = ({ others }: Row, text: readonly (Word | undefined)[], at: number): boolean =>
  others.length === 0 || others.every((word, index) => text[at + 1 + index] === word)

/** Whether a pattern may match: each of its steps is met not too far after the one before. */
const mayMatch = (text: readonly (Word | undefined)[]): boolean => {
  reached.fill(NEVER)
  for (let at = 0; at < text.length; at += 1) {
    const word = text[at]
    if (word === undefined) continue
    for (const row of word.rows) {
      const { number, isFirst, isLast, gap } = row.step
      const isNear = isFirst || at - (reached[number - 1] ?? NEVER) <= gap + 1
      if (!isNear || !isThere(row, text, at)) continue
      if (isLast) return true
      reached[number] = Math.max(reached[number] ?? NEVER, at + row.others.length)
    }
  }
  return false
}

const read = new PlainWords()

/** What of a text is worth a closer look. */
export interface Prospects {
  /** Whether a rule may match in its words, in words made of its short ones, or in words in cipher. */
  readonly hasPhrases: boolean
  /** Words that may be several without spaces. */
  readonly longWords: readonly Token[]
}

/**
 * Reads a text once, without a copy of any of its words. It may expect too much of a text, and never too little.
 * Undefined where the text is not plain ASCII, or longer than what is looked at in one step.
 */
export const prospectsOf = (text: string): Prospects | undefined => {
  if (text.length > LONGEST_READ || !isAscii(text)) return undefined
  read.read(text)
  const known: (Word | undefined)[] = []
  const longWords: Token[] = []
  const row = new ShortWordRow()
  let isSpacedOut = false
  let cipherWeight = 0
  for (let at = 0; at < read.count; at += 1) {
    const hash = read.hashes[at] ?? 0
    const length = read.lengths[at] ?? 0
    known.push(words.get(hash))
    cipherWeight += cipherWeights.get(hash) ?? 0
    if (row.isSpacedOutWith(length)) isSpacedOut = true
    if (isLongWord(length, read.digits[at] !== 0))
      longWords.push(...tokensOf(text.slice(read.starts[at], read.ends[at]), read.starts[at]))
  }
  return { hasPhrases: isSpacedOut || cipherWeight > 1 || mayMatch(known), longWords }
}
