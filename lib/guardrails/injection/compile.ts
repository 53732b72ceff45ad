import { cipherSigns } from '../text/ciphers.ts'
import { tokensOf } from '../text/tokens.ts'
import { PHRASE_RULES } from './phrases.ts'
import { IGNORE_PREVIOUS, WORDS } from './words.ts'

/** Rows of words that an element of a pattern stands for, by their first word, longest first. */
export type Element = ReadonlyMap<string, readonly (readonly string[])[]>

export interface Step {
  /** How many other words may stand before it. */
  readonly gap: number
  readonly element: Element
}

export interface CompiledPattern {
  readonly rule: string
  readonly weight: number
  readonly steps: readonly Step[]
}

const elementOf = (alternatives: readonly string[]): Element => {
  const rows = alternatives.map(alternative =>
    tokensOf(alternative.replaceAll('_', ' ')).map(({ text }) => text),
  )
  const element = new Map<string, (readonly string[])[]>()
  for (const row of rows.toSorted((a, b) => b.length - a.length)) {
    const [first = ''] = row
    if (first !== '') element.set(first, [...(element.get(first) ?? []), row])
  }
  return element
}

const alternativesOf = (part: string): string[] =>
  part.split('|').flatMap(word => {
    const name = /^\{(\w+)\}$/.exec(word)?.[1]
    if (name === undefined) return word
    const words = WORDS[name]
    if (words === undefined) throw new Error(`No class of words is named ${name}.`)
    return words.split(' ')
  })

/** Compiles a pattern. Throws where it names a class that does not exist. */
export const compile = (rule: string, weight: number, pattern: string): CompiledPattern => {
  const steps: Step[] = []
  let gap = 0
  for (const part of pattern.split(' ')) {
    if (part.startsWith('~')) gap = Number(part.slice(1))
    else {
      steps.push({ gap, element: elementOf(alternativesOf(part)) })
      gap = 0
    }
  }
  return { rule, weight, steps }
}

const GAP = 4

/** "Ignore the previous instructions" in other languages, in whatever order they put the three. */
const translated: readonly CompiledPattern[] = IGNORE_PREVIOUS.flatMap(({ language, ...parts }) => {
  const ignore = elementOf(parts.ignore.split(' '))
  const previous = elementOf(parts.previous.split(' '))
  const instructions = elementOf(parts.instructions.split(' '))
  const orders = [
    [ignore, previous, instructions],
    [ignore, instructions, previous],
    [previous, instructions, ignore],
  ]
  return orders.map(elements => ({
    rule: `ignore-previous-${language}`,
    weight: 0.85,
    steps: elements.map((element, index) => ({ gap: index === 0 ? 0 : GAP, element })),
  }))
})

export const PATTERNS: readonly CompiledPattern[] = [
  ...PHRASE_RULES.flatMap(({ name, weight, patterns }) =>
    patterns.map(pattern => compile(name, weight, pattern)),
  ),
  ...translated,
]

/** The patterns by each word with which they can begin. */
export const BY_FIRST_WORD: ReadonlyMap<string, readonly CompiledPattern[]> = (() => {
  const index = new Map<string, CompiledPattern[]>()
  for (const pattern of PATTERNS)
    for (const word of pattern.steps[0]?.element.keys() ?? [])
      index.set(word, [...(index.get(word) ?? []), pattern])
  return index
})()

/** All words of the patterns. */
export const KNOWN_WORDS: ReadonlySet<string> = new Set(
  PATTERNS.flatMap(({ steps }) => steps.flatMap(({ element }) => [...element.values()].flat(2))),
)

/** What they become in ciphers. */
export const CIPHERED = cipherSigns(KNOWN_WORDS)
