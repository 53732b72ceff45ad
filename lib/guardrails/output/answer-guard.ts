import type { GatewayError } from '../../errors.ts'
import type { Change } from '../../llm/events.ts'
import type { EventGroup, ReplyEvent } from '../../llm/types.ts'
import { atOnce } from '../../loop-turns.ts'
import type { Guard } from '../profile.ts'
import { placeholderKind, withSpansReplaced } from '../redact.ts'
import type { Piece } from '../stream-holder.ts'
import type { Action, Place, Verdict } from '../types.ts'
import {
  type GrowingText,
  GrowingTexts,
  isTextEvent,
  namesOfEvent,
  PLACE_OF_NAMES,
  saysMore,
  type TextEvent,
  textOfEvent,
  withText,
} from './guarded-texts.ts'

/** A text event whose text has not left as a whole. */
interface Waiting {
  event: TextEvent
  readonly text: GrowingText
  /** Code units that are not decided. */
  undecided: number
  /** What is decided and has not left. */
  decided: string
}

type Finish = Extract<ReplyEvent, { type: 'finish' }>

/** What is known of the findings on an answer. */
export type AnswerFindings = Readonly<{
  actionOn: (verdict: Verdict, place: Place) => Action | undefined
  /** The error for a verdict that blocks. */
  blocked: (verdict: Verdict, place: Place) => GatewayError
  /** One sentence for each kind of finding so far. */
  warnings: () => readonly string[]
}>

const UNREADABLE = 'Parts of the answer in a form that the guardrails cannot read were left out.'

/**
 * Guards an answer as it passes: what may still become a match waits, and with it all texts that come after it, so that
 * their order stays. Reasoning does not wait for its own continuation once something else begins.
 */
export class AnswerGuard {
  readonly #texts: GrowingTexts
  readonly #findings: AnswerFindings
  readonly #waiting: Waiting[] = []
  readonly #pieces = new Map<GrowingText, Waiting[]>()
  #reasoning: GrowingText | undefined
  #isReasoningChanged = false
  #hasUnreadable = false
  #error: GatewayError | undefined

  constructor(guard: Guard, findings: AnswerFindings) {
    this.#texts = new GrowingTexts(guard)
    this.#findings = findings
  }

  /** Takes events; returns what may leave. A match that blocks is the end of the answer. */
  readonly take = (group: EventGroup): Change => {
    const passed: ReplyEvent[] = []
    for (const event of group) {
      this.#takeOne(event, passed)
      if (this.#error) return { events: [...passed, { type: 'error', error: this.#error }], ends: true }
    }
    return { events: passed }
  }

  #takeOne(event: ReplyEvent, passed: ReplyEvent[]): void {
    if (isTextEvent(event)) {
      this.#add(event)
      this.#leave(passed)
    } else if (event.type === 'finish' || event.type === 'error') {
      this.#end()
      this.#leave(passed)
      if (!this.#error) passed.push(event.type === 'finish' ? this.#finish(event) : event)
    } else if (event.type === 'wire') this.#hasUnreadable ||= event.isContent === true
    else passed.push(event)
  }

  #add(event: TextEvent): void {
    const text = this.#texts.of(event)
    const added = textOfEvent(event)
    if (this.#reasoning && this.#reasoning !== text)
      this.#decide(this.#reasoning, this.#reasoning.holder.flush())
    this.#reasoning = event.type === 'reasoning-delta' ? text : undefined
    const named = this.#named(event)
    if (this.#error) return
    const waiting: Waiting = { event: named, text, undecided: added.length, decided: '' }
    this.#waiting.push(waiting)
    const ofText = this.#pieces.get(text) ?? []
    this.#pieces.set(text, ofText)
    if (added !== '') ofText.push(waiting)
    this.#decide(text, text.holder.push(added))
    if (event.type === 'reasoning-delta' && event.signature !== undefined) this.#endReasoning(waiting, event)
  }

  /** The event with the id and the name of its tool call as they may leave. */
  #named(event: TextEvent): TextEvent {
    const names = Object.entries(namesOfEvent(event)).map(([key, name]) => [key, this.#nameOf(name)])
    return names.length === 0 ? event : { ...event, ...Object.fromEntries(names) }
  }

  #nameOf(name: string): string {
    const toRedact: Verdict[] = []
    for (const verdict of this.#texts.verdictsOnName(name)) {
      const action = this.#findings.actionOn(verdict, PLACE_OF_NAMES)
      if (action === 'block' || action === 'another-model')
        this.#error ??= this.#findings.blocked(verdict, PLACE_OF_NAMES)
      else if (action === 'redact') toRedact.push(verdict)
    }
    return atOnce(withSpansReplaced(name, toRedact, placeholderKind))
  }

  /** A vendor refuses reasoning that differs from what it has signed. */
  #endReasoning(
    waiting: Waiting,
    { signature: _, ...unsigned }: Extract<TextEvent, { type: 'reasoning-delta' }>,
  ) {
    this.#decide(waiting.text, waiting.text.holder.flush())
    if (this.#isReasoningChanged) waiting.event = unsigned
    this.#isReasoningChanged = false
  }

  #end(): void {
    for (const text of this.#pieces.keys()) this.#decide(text, text.holder.end())
  }

  /** Decides about the next pieces of a text. */
  #decide(text: GrowingText, pieces: readonly Piece[]): void {
    const ofText = this.#pieces.get(text) ?? []
    for (const { text: original, verdict } of pieces) {
      if (this.#error) return
      const action = verdict && this.#findings.actionOn(verdict, text.place)
      if (verdict && (action === 'block' || action === 'another-model')) {
        this.#error = this.#findings.blocked(verdict, text.place)
        return
      }
      const isRedacted = verdict !== undefined && action === 'redact'
      if (isRedacted && text.place === 'reasoning') this.#isReasoningChanged = true
      const decided = isRedacted ? placeholderIn(text, verdict) : original
      text.json?.read(original)
      this.#assign(ofText, original.length, decided, isRedacted)
    }
  }

  /** Gives a piece to the events that it came in: a placeholder belongs to the first of them. */
  #assign(ofText: Waiting[], length: number, decided: string, isWhole: boolean): void {
    let left = length
    let from = 0
    for (let next = ofText[0]; next; next = ofText[0]) {
      const taken = Math.min(left, next.undecided)
      next.undecided -= taken
      left -= taken
      next.decided += isWhole ? decided.slice(from) : decided.slice(from, from + taken)
      from = isWhole ? decided.length : from + taken
      if (next.undecided > 0) return
      ofText.shift()
      if (left === 0) return
    }
  }

  /** Passes on what is decided, up to the first text that waits. */
  #leave(passed: ReplyEvent[]): void {
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      if (next.decided !== '' || (next.undecided === 0 && saysMore(next.event)))
        passed.push(withText(next.event, next.decided))
      if (next.undecided > 0) {
        if (next.decided !== '') next.event = continued(next.event)
        next.decided = ''
        return
      }
      this.#waiting.shift()
    }
  }

  #finish(event: Finish): Finish {
    const warnings = [
      ...(event.warnings ?? []),
      ...this.#findings.warnings(),
      ...(this.#hasUnreadable ? [UNREADABLE] : []),
    ]
    return warnings.length > 0 ? { ...event, warnings } : event
  }
}

/** What stands for a match: in JSON a string, where it is part of none. */
const placeholderIn = ({ json }: GrowingText, { kind }: Verdict): string => {
  const placeholder = placeholderKind(kind)
  return json?.written(placeholder) ?? placeholder
}

/** The rest of an event of which a part has left: ids, names and signatures are said once. */
const continued = (event: TextEvent): TextEvent => {
  if (event.type === 'tool-call-delta')
    return { type: event.type, index: event.index, arguments: event.arguments }
  return { type: event.type, text: event.text }
}

/** Observes an answer, and changes nothing. */
export class AnswerObserver {
  readonly #texts: GrowingTexts
  readonly #pieces = new Set<GrowingText>()
  readonly #onVerdict: (verdict: Verdict, place: Place) => void

  constructor(guard: Guard, onVerdict: (verdict: Verdict, place: Place) => void) {
    this.#texts = new GrowingTexts(guard)
    this.#onVerdict = onVerdict
  }

  readonly take = (group: EventGroup): void => {
    for (const event of group) {
      if (isTextEvent(event)) {
        const text = this.#texts.of(event)
        this.#pieces.add(text)
        for (const name of Object.values(namesOfEvent(event)))
          for (const verdict of this.#texts.verdictsOnName(name)) this.#onVerdict(verdict, PLACE_OF_NAMES)
        this.#report(text, text.holder.push(textOfEvent(event)))
      } else if (event.type === 'finish' || event.type === 'error')
        for (const text of this.#pieces) this.#report(text, text.holder.end())
    }
  }

  #report({ place }: GrowingText, pieces: readonly Piece[]): void {
    for (const { verdict } of pieces) if (verdict) this.#onVerdict(verdict, place)
  }
}
