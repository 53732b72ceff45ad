import { INJECTION_PRESETS, injection } from '../../lib/guardrails/injection/rail.ts'
import { sensitiveData } from '../../lib/guardrails/sensitive/rail.ts'
import { SpanRails } from '../../lib/guardrails/span-rails.ts'
import type { Place, Verdict } from '../../lib/guardrails/types.ts'
import { atOnce } from '../../lib/loop-turns.ts'
import type { Corpus } from './corpora.ts'
import { type Half, halfOf } from './halves.ts'
import type { IdentifierText } from './identifiers.ts'

/** The highest score of a text. */
export const injectionScore = (text: string, place: Place): number =>
  Math.max(0, ...atOnce(injection.inspect({ text, place })).map(({ score }) => score))

const identifiers = new SpanRails([sensitiveData], 'user')

export interface InjectionRow {
  readonly corpus: string
  readonly label: Corpus['label']
  readonly half: Half
  readonly texts: number
  /** Shares from 0 to 1. */
  readonly flagged: number
  readonly blocked: number
  readonly flaggedStrictly: number
  readonly blockedStrictly: number
}

const share = (scores: readonly number[], from: number): number =>
  scores.filter(score => score >= from).length / scores.length

/** How many texts of each half of a corpus are flagged and blocked. */
export const injectionRows = ({ name, label, place, lines }: Corpus): InjectionRow[] =>
  (['tuned', 'held-out'] as const).map(half => {
    const scores = lines.filter(line => halfOf(line) === half).map(line => injectionScore(line, place))
    return {
      corpus: name,
      label,
      half,
      texts: scores.length,
      flagged: share(scores, INJECTION_PRESETS.default.flag),
      blocked: share(scores, INJECTION_PRESETS.default.block),
      flaggedStrictly: share(scores, INJECTION_PRESETS.strict.flag),
      blockedStrictly: share(scores, INJECTION_PRESETS.strict.block),
    }
  })

export interface IdentifierRow {
  readonly kind: string
  readonly half: Half
  readonly present: number
  readonly recall: number
  readonly precision: number
}

/** The kind of the corpus that a verdict speaks of. */
const kindOf = ({ kind, rule }: Verdict): string => (rule === 'us-ssn' ? 'ssn' : kind)

/** Recall and precision of each kind: what is found must be the identifier to the character. */
export const identifierRows = (
  texts: readonly IdentifierText[],
  kinds: readonly string[],
  half: Half,
): IdentifierRow[] => {
  const counts = new Map(kinds.map(kind => [kind, { present: 0, found: 0, right: 0 }]))
  for (const { text, identifiers: inside } of texts.filter(each => halfOf(each.text) === half)) {
    for (const { kind } of inside) bump(counts, kind, 'present')
    for (const verdict of atOnce(identifiers.inspect(text))) {
      const kind = kindOf(verdict)
      bump(counts, kind, 'found')
      const value = text.slice(verdict.start, verdict.end)
      if (inside.some(each => each.kind === kind && each.value === value)) bump(counts, kind, 'right')
    }
  }
  return [...counts].map(([kind, { present, found, right }]) => ({
    kind,
    half,
    present,
    recall: right / present,
    precision: found === 0 ? 1 : right / found,
  }))
}

type Counts = { present: number; found: number; right: number }

const bump = (counts: ReadonlyMap<string, Counts>, kind: string, field: keyof Counts): void => {
  const count = counts.get(kind)
  if (count) count[field] += 1
}
