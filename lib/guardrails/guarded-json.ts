import { inTurns } from '../loop-turns.ts'
import { textsIn, withStrings } from './json-strings.ts'
import { verdictsOfJudges } from './judged.ts'
import { Decisions, type GuardedRequest, type GuardrailDeps } from './policy.ts'
import type { Guard, Profile } from './profile.ts'
import { placeholderKind, withSpansReplaced } from './redact.ts'
import type { Place, Verdict } from './types.ts'

/** JSON as it may go on, or the rail because of which none of it may. */
export type GuardedJson = Readonly<{ json: string } | { withheldBy: string }>

type Decided = Readonly<{ text: string } | { rail: string }>

/** Looks at the strings of a JSON text that stands in one place. */
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

  /** The text as it may go on, or the rail that withholds it. */
  async text(text: string): Promise<Decided> {
    const given = { text, place: this.#place }
    return this.decided(
      text,
      await inTurns(this.#deps.memory.inspect(given, this.#guard, this.#profile.version)),
    )
  }

  async decided(text: string, verdicts: readonly Verdict[]): Promise<Decided> {
    const toRedact: Verdict[] = []
    for (const verdict of verdicts) {
      const action = this.#decisions.on(verdict, this.#place, this.#guard.direction)
      if (action === 'block' || action === 'another-model') return { rail: verdict.rail }
      if (action === 'redact') toRedact.push(verdict)
    }
    return { text: await inTurns(withSpansReplaced(text, toRedact, placeholderKind)) }
  }
}

type Guarding = Readonly<{
  place: Place
  guard: Guard
  request: GuardedRequest
  profile: Profile
}>

/**
 * A JSON text of a tool, each of whose strings is looked at by the rails, and then by the judges. What is blocked
 * withholds all of it, and not more: what a third party wrote must not end the caller's conversation.
 */
export const guardedJson = async (
  json: string,
  guarding: Guarding,
  deps: GuardrailDeps,
): Promise<GuardedJson> => {
  const { place, profile, request } = guarding
  const guard = new JsonGuard(guarding, deps)
  const texts = new Map<string, string>()
  for (const text of await inTurns(textsIn(json, () => true))) texts.set(text, text)
  for (const text of texts.keys()) {
    const result = await guard.text(text)
    if ('rail' in result) return { withheldBy: result.rail }
    texts.set(text, result.text)
  }
  const current = [...texts].map(([original, text]) => ({ original, text, place }))
  const found = await verdictsOfJudges(current, profile, deps, request.signal)
  for (const [index, { original, text }] of current.entries()) {
    const result = await guard.decided(text, found[index] ?? [])
    if ('rail' in result) return { withheldBy: result.rail }
    texts.set(original, result.text)
  }
  const isChanged = [...texts].some(([original, text]) => original !== text)
  return { json: isChanged ? await inTurns(withStrings(json, text => texts.get(text))) : json }
}
