import { SpanRails } from '#lib/guardrails/span-rails.ts'
import type { Place, SpanRail, TextRail, Verdict } from '#lib/guardrails/types.ts'
import { atOnce } from '#lib/loop-turns.ts'

/** The verdicts of a rail on a text. */
export const verdictsOf = (
  rail: SpanRail | TextRail,
  text: string,
  place: Place = 'user',
): readonly Verdict[] =>
  atOnce(rail.type === 'text' ? rail.inspect({ text, place }) : new SpanRails([rail], place).inspect(text))

/** What a rail found, as `rule: text`. */
export const foundBy = (rail: SpanRail | TextRail, text: string, place: Place = 'user'): string[] =>
  verdictsOf(rail, text, place).map(({ rule, start, end }) => `${rule}: ${text.slice(start, end)}`)
