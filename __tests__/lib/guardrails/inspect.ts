import { SpanRails } from '#lib/guardrails/span-rails.ts'
import type { Place, SpanRail, TextRail, Verdict } from '#lib/guardrails/types.ts'

/** The result of a generator, its steps run at once. */
export const finish = <T>(steps: Generator<void, T>): T => {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/** The verdicts of a rail on a text. */
export const verdictsOf = (
  rail: SpanRail | TextRail,
  text: string,
  place: Place = 'user',
): readonly Verdict[] =>
  finish(rail.type === 'text' ? rail.inspect({ text, place }) : new SpanRails([rail], place).inspect(text))

/** What a rail found, as `rule: text`. */
export const foundBy = (rail: SpanRail | TextRail, text: string, place: Place = 'user'): string[] =>
  verdictsOf(rail, text, place).map(({ rule, start, end }) => `${rule}: ${text.slice(start, end)}`)
