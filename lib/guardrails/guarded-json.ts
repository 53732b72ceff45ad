import { inTurns, type Steps } from '../loop-turns.ts'
import { type TokenKind, valuesIn, withValues } from './json-strings.ts'
import { verdictsOfJudges } from './judged.ts'
import { Decisions, type GuardedRequest, type GuardrailDeps } from './policy.ts'
import type { Guard, Profile } from './profile.ts'
import { placeholderKind, withSpansReplaced } from './redact.ts'
import type { Place, PlacedText, Verdict } from './types.ts'

/** JSON as it may go on, or the rail because of which none of it may. */
export type GuardedJson = Readonly<{ json: string } | { withheldBy: string }>

/** A string, a number or the name of a member, and what it has become: a number that is replaced is a string. */
type Value = { readonly kind: TokenKind; readonly original: string; text: string }

/** The rail that withholds a JSON text because of a value; undefined where none does. */
type Withheld = Readonly<{ withheldBy: string }> | undefined

/** How a number may be read: as it is written, and as it is sent on. */
const readingsOf = ({ kind, text }: Value): readonly string[] =>
  kind === 'number' ? [...new Set([text, String(Number(text))])] : [text]

/** Looks at the values of a JSON text that stands in one place. */
class JsonGuard {
  readonly #place: Place
  readonly #guard: Guard
  readonly #profile: Profile
  readonly #deps: GuardrailDeps
  readonly #decisions: Decisions

  constructor({ place, guard, request, profile }: Guarding, deps: GuardrailDeps) {
    this.#place = place
    this.#guard = guard
    this.#profile = profile
    this.#deps = deps
    this.#decisions = new Decisions(request, profile, deps)
  }

  /** Looks at a value with the rails. */
  async inspect(value: Value): Promise<Withheld> {
    for (const text of readingsOf(value)) {
      const given = { text, place: this.#place }
      const verdicts = await inTurns(this.#deps.memory.inspect(given, this.#guard, this.#profile.version))
      const withheld = await this.decide(value, verdicts, text)
      if (withheld || value.text !== value.original) return withheld
    }
    return undefined
  }

  /** Does what verdicts on a value lead to. The name of a member cannot be replaced: what it stands for would be lost. */
  async decide(value: Value, verdicts: readonly Verdict[], text = value.text): Promise<Withheld> {
    const toRedact: Verdict[] = []
    for (const verdict of verdicts) {
      const action = this.#decisions.on(verdict, this.#place, this.#guard.direction)
      const isRedacted = action === 'redact'
      if (action === 'block' || action === 'another-model' || (isRedacted && value.kind === 'name'))
        return { withheldBy: verdict.rail }
      if (isRedacted) toRedact.push(verdict)
    }
    if (toRedact.length > 0) value.text = await inTurns(withSpansReplaced(text, toRedact, placeholderKind))
    return undefined
  }
}

type Guarding = Readonly<{
  place: Place
  guard: Guard
  request: GuardedRequest
  profile: Profile
}>

/** Shorter numbers are measures and counts: judges do not get them. */
const FEWEST_DIGITS = 6

const isForJudges = ({ kind, text }: Value): boolean =>
  kind !== 'number' || text.replaceAll(/\D/g, '').length >= FEWEST_DIGITS

/** Values that are one text for the judges: each string is, and all names and numbers together are. */
const groupsOf = (values: readonly Value[]): readonly (readonly Value[])[] => {
  const others = values.filter(({ kind }) => kind !== 'text').filter(isForJudges)
  const strings = values.filter(({ kind }) => kind === 'text').map(value => [value])
  return others.length > 0 ? [...strings, others] : strings
}

/** The verdicts on a text of several lines, for each of them with the offsets in it. */
const byLine = (lines: readonly string[], verdicts: readonly Verdict[]): readonly (readonly Verdict[])[] => {
  let from = 0
  return lines.map(({ length }) => {
    const base = from
    from += length + 1
    return verdicts
      .map(verdict => ({
        ...verdict,
        start: Math.max(0, verdict.start - base),
        end: Math.min(length, verdict.end - base),
      }))
      .filter(({ start, end }) => start < end)
  })
}

const askJudges = async (
  values: readonly Value[],
  guard: JsonGuard,
  { place, profile, request }: Guarding,
  deps: GuardrailDeps,
): Promise<Withheld> => {
  const groups = groupsOf(values)
  const texts = groups.map((group): PlacedText => ({ text: group.map(({ text }) => text).join('\n'), place }))
  const found = await verdictsOfJudges(texts, profile, deps, request.signal)
  for (const [index, group] of groups.entries()) {
    const lines = group.map(({ text }) => text)
    const verdicts = group.length === 1 ? [found[index] ?? []] : byLine(lines, found[index] ?? [])
    for (const [line, value] of group.entries()) {
      const withheld = await guard.decide(value, verdicts[line] ?? [])
      if (withheld) return withheld
    }
  }
  return undefined
}

function* readValues(json: string): Steps<readonly Value[]> {
  const read = yield* valuesIn(json)
  const of = (kind: TokenKind) =>
    [...read[kind]].map((original): Value => ({ kind, original, text: original }))
  return [...of('text'), ...of('number'), ...of('name')]
}

/**
 * A JSON text of a tool, each of whose strings, numbers and names is looked at by the rails, and then by the judges. A
 * number that is found becomes a string with a placeholder. What is blocked withholds all of it, and not more: what a
 * third party wrote must not end the caller's conversation; so does a name that is found.
 */
export const guardedJson = async (
  json: string,
  guarding: Guarding,
  deps: GuardrailDeps,
): Promise<GuardedJson> => {
  const guard = new JsonGuard(guarding, deps)
  const values = await inTurns(readValues(json))
  for (const value of values) {
    const withheld = await guard.inspect(value)
    if (withheld) return withheld
  }
  const withheld = await askJudges(values, guard, guarding, deps)
  if (withheld) return withheld
  const changed = new Map(
    values
      .filter(({ original, text }) => original !== text)
      .map(({ kind, original, text }) => [`${kind} ${original}`, text]),
  )
  if (changed.size === 0) return { json }
  return { json: await inTurns(withValues(json, (value, kind) => changed.get(`${kind} ${value}`))) }
}
