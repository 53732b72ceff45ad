import type { PlacedText, Verdict } from '../types.ts'
import type { Finding, PieceLimits } from './types.ts'

/** A piece of one text: `start` is its offset there. */
export type Piece = PlacedText & Readonly<{ start: number }>

export type CutText = Readonly<{
  pieces: readonly Piece[]
  /** The text is longer than all its pieces. */
  isCut: boolean
}>

const isLowSurrogate = (code: number): boolean => code >= 0xdc00 && code <= 0xdfff

/** The nearest position at or before `at` that is not within a code point. */
const whole = (text: string, at: number): number =>
  at > 0 && at < text.length && isLowSurrogate(text.charCodeAt(at)) ? at - 1 : at

/** Cuts a text into pieces that a service takes. A text that shows nothing has none. */
export const cut = ({ text, place }: PlacedText, { longest, overlap, most }: PieceLimits): CutText => {
  if (text.trim() === '') return { pieces: [], isCut: false }
  const pieces: Piece[] = []
  for (let start = 0; ; ) {
    const end = whole(text, Math.min(text.length, start + longest))
    pieces.push({ text: text.slice(start, end), place, start })
    if (end === text.length) return { pieces, isCut: false }
    if (pieces.length === most) return { pieces, isCut: true }
    start = whole(text, end - overlap)
  }
}

/** The verdicts on a text from the findings on its pieces. What two pieces share has its finding once. */
export const verdictsOf = (
  rail: string,
  found: readonly (readonly [piece: Piece, findings: readonly Finding[]])[],
): readonly Verdict[] => {
  const verdicts = new Map<string, Verdict>()
  for (const [{ text, start: base }, findings] of found)
    for (const { kind, rule, score, span = { start: 0, end: text.length } } of findings) {
      const verdict = { rail, kind, rule, score, start: base + span.start, end: base + span.end }
      const key = `${verdict.start} ${verdict.end} ${kind} ${rule}`
      const known = verdicts.get(key)
      if (!known || known.score < score) verdicts.set(key, verdict)
    }
  return [...verdicts.values()].toSorted((a, b) => a.start - b.start || a.end - b.end)
}
