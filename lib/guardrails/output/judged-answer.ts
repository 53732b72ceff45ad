import { append } from '../../llm/events.ts'
import type { Call, Reply, ReplyEvent } from '../../llm/types.ts'
import { inTurns, mapInTurns } from '../../loop-turns.ts'
import { blocked } from '../findings.ts'
import { held, replayed, withWarnings } from '../held-answer.ts'
import { verdictsOfJudges } from '../judged.ts'
import { Decisions, type GuardrailDeps } from '../policy.ts'
import { isForOutput, type Profile } from '../profile.ts'
import { placeholderKind, withSpansReplaced } from '../redact.ts'
import type { PlacedText, Verdict } from '../types.ts'
import { isTextEvent, placeOf, textOfEvent, withText } from './guarded-texts.ts'
import { textsOfWire } from './wire-texts.ts'

/** The events of an answer in as few pieces as possible. */
const merged = (groups: readonly (readonly ReplyEvent[])[]): readonly ReplyEvent[] => {
  const events: ReplyEvent[] = []
  for (const group of groups) for (const event of group) append(events, event)
  return events
}

/** The texts of an answer's events, in their order, and then those that stand in its messages alone. */
const textsOf = async (events: readonly ReplyEvent[]): Promise<readonly PlacedText[]> => {
  const texts = events.flatMap(event =>
    isTextEvent(event) ? [{ text: textOfEvent(event), place: placeOf(event) }] : [],
  )
  return [...texts, ...(await inTurns(textsOfWire(events, texts)))]
}

/** What is to be replaced in each text. Throws CONTENT_BLOCKED. */
export const redactionsOf = (
  texts: readonly PlacedText[],
  found: Awaited<ReturnType<typeof verdictsOfJudges>>,
  decisions: Decisions,
): readonly (readonly Verdict[])[] =>
  texts.map(({ place }, index) =>
    (found[index] ?? []).filter(verdict => {
      const action = decisions.on(verdict, place, 'output')
      if (action === 'block' || action === 'another-model') throw blocked(verdict, place)
      return action === 'redact'
    }),
  )

/**
 * An answer that external judges have rated. They rate whole texts, so that it is held back until they have, a stream
 * too.
 */
export const judgedAnswer = async (
  reply: Reply,
  call: Call,
  profile: Profile,
  deps: GuardrailDeps,
): Promise<Reply> => {
  if (!profile.settings.judges?.some(isForOutput)) return reply
  const answer = await held(reply, 'by the guardrails')
  const events = merged(answer.groups)
  const texts = await textsOf(events)
  const decisions = new Decisions(call, profile, deps)
  const found = await verdictsOfJudges(texts, profile, deps, call.signal)
  const redactions = redactionsOf(texts, found, decisions)
  if (redactions.every(({ length }) => length === 0))
    return replayed(withWarnings(answer, decisions.warnings))
  const clean = await mapInTurns(texts, ({ text }, index) =>
    inTurns(withSpansReplaced(text, redactions[index] ?? [], placeholderKind)),
  )
  const texted = events.filter(({ type }) => type !== 'wire')
  let next = 0
  const changed = texted.map(event => (isTextEvent(event) ? withText(event, clean[next++] ?? '') : event))
  return replayed(withWarnings({ reply, groups: [changed] }, decisions.warnings))
}
