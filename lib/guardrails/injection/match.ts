import type { Token } from '../text/tokens.ts'
import { BY_FIRST_WORD, type CompiledPattern, type Element } from './compile.ts'

/** A rule that matched, with where in the original. */
export interface Hit {
  readonly rule: string
  readonly weight: number
  readonly start: number
  readonly end: number
}

/** Positions that are tried for one pattern at one word: bounds the work where a text is made of its words. */
const MOST_TRIES = 48

const isWord = (token: Token | undefined, word: string): boolean =>
  token !== undefined && (token.text === word || token.latin === word)

/** How many words an element takes at a position; 0 where it does not stand there. */
const taken = (element: Element, tokens: readonly Token[], at: number): number => {
  const token = tokens[at]
  if (!token) return 0
  const rows = element.get(token.text) ?? (token.latin === undefined ? undefined : element.get(token.latin))
  for (const row of rows ?? [])
    if (row.every((word, index) => isWord(tokens[at + index], word))) return row.length
  return 0
}

/** The position after a pattern that begins at a word; undefined where it does not. */
const endOf = ({ steps }: CompiledPattern, tokens: readonly Token[], from: number): number | undefined => {
  let tries = MOST_TRIES
  const match = (step: number, at: number): number | undefined => {
    const next = steps[step]
    if (!next) return at
    for (let skipped = 0; skipped <= next.gap && tries > 0; skipped += 1) {
      tries -= 1
      const length = taken(next.element, tokens, at + skipped)
      const end = length > 0 ? match(step + 1, at + skipped + length) : undefined
      if (end !== undefined) return end
    }
    return undefined
  }
  return match(0, from)
}

/** All rules that match in a row of words. */
export const hitsIn = (tokens: readonly Token[]): Hit[] => {
  const hits: Hit[] = []
  for (const [index, token] of tokens.entries()) {
    const patterns =
      BY_FIRST_WORD.get(token.text) ??
      (token.latin === undefined ? undefined : BY_FIRST_WORD.get(token.latin))
    for (const pattern of patterns ?? []) {
      const end = endOf(pattern, tokens, index)
      const last = end === undefined ? undefined : tokens[end - 1]
      if (!last) continue
      const { rule, weight } = pattern
      hits.push({
        rule,
        weight,
        start: Math.min(token.start, last.start),
        end: Math.max(token.end, last.end),
      })
    }
  }
  return hits
}
