import { inTurns } from '../loop-turns.ts'
import { textsIn, withStrings } from './json-strings.ts'
import { verdictsOfJudges } from './judged.ts'
import { Decisions, type GuardedRequest, type GuardrailDeps } from './policy.ts'
import type { Profile } from './profile.ts'
import { placeholderKind, withSpansReplaced } from './redact.ts'
import type { Verdict } from './types.ts'

/** A result of a tool as JSON, and the rail because of which it is withheld. */
export type GuardedResult = Readonly<{ json: string; withheldBy?: string }>

class ResultGuard {
  readonly #profile: Profile
  readonly #deps: GuardrailDeps
  readonly #decisions: Decisions

  constructor(request: GuardedRequest, profile: Profile, deps: GuardrailDeps) {
    this.#profile = profile
    this.#deps = deps
    this.#decisions = new Decisions(request, profile, deps)
  }

  /** The text as a model may read it, or the rail that withholds it. */
  async text(text: string): Promise<Readonly<{ text: string } | { rail: string }>> {
    const { input, version } = this.#profile
    const place = 'tool-result'
    return this.decided(text, await inTurns(this.#deps.memory.inspect({ text, place }, input, version)))
  }

  async decided(
    text: string,
    verdicts: readonly Verdict[],
  ): Promise<Readonly<{ text: string } | { rail: string }>> {
    const place = 'tool-result'
    const toRedact: Verdict[] = []
    for (const verdict of verdicts) {
      const action = this.#decisions.on(verdict, place, 'input')
      if (action === 'block' || action === 'another-model') return { rail: verdict.rail }
      if (action === 'redact') toRedact.push(verdict)
    }
    return { text: await inTurns(withSpansReplaced(text, toRedact, placeholderKind)) }
  }
}

/**
 * A tool's result as a model and a client may read it: each of its strings is looked at. One that is blocked is withheld
 * as a whole: a page that a third party wrote must not end the caller's conversation.
 */
export const guardedResult = async (
  json: string,
  request: GuardedRequest,
  profile: Profile | undefined,
  deps: GuardrailDeps,
): Promise<GuardedResult> => {
  if (!profile) return { json }
  const guard = new ResultGuard(request, profile, deps)
  const texts = new Map<string, string>()
  for (const text of await inTurns(textsIn(json, () => true))) texts.set(text, text)
  for (const text of texts.keys()) {
    const result = await guard.text(text)
    if ('rail' in result) return { json: 'null', withheldBy: result.rail }
    texts.set(text, result.text)
  }
  const current = [...texts].map(([original, text]) => ({ original, text, place: 'tool-result' as const }))
  const found = await verdictsOfJudges(current, profile, deps, request.signal)
  for (const [index, { original, text }] of current.entries()) {
    const result = await guard.decided(text, found[index] ?? [])
    if ('rail' in result) return { json: 'null', withheldBy: result.rail }
    texts.set(original, result.text)
  }
  const changed = [...texts].some(([original, text]) => original !== text)
  return changed ? { json: await inTurns(withStrings(json, text => texts.get(text))) } : { json }
}
