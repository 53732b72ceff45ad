import type { ReplyEvent } from '../../llm/types.ts'
import { atOnce } from '../../loop-turns.ts'
import { JsonPlace } from '../json-place.ts'
import type { Guard } from '../profile.ts'
import type { StreamHolder } from '../stream-holder.ts'
import type { Place, Verdict } from '../types.ts'

/** An event that adds text to an answer. */
export type TextEvent = Extract<
  ReplyEvent,
  { type: 'text-delta' | 'reasoning-delta' | 'refusal-delta' | 'tool-call-delta' }
>

/** One text of an answer, and the guard of what it has grown to; where it is JSON, the place that is decided. */
export type GrowingText = Readonly<{ place: Place; holder: StreamHolder; json?: JsonPlace }>

const PLACES: Readonly<Record<TextEvent['type'], Place>> = {
  'text-delta': 'answer',
  'reasoning-delta': 'reasoning',
  'refusal-delta': 'refusal',
  'tool-call-delta': 'tool-arguments',
}

export const PLACE_OF_NAMES: Place = 'tool-arguments'

export const placeOf = ({ type }: TextEvent): Place => PLACES[type]

export const textOfEvent = (event: TextEvent): string =>
  event.type === 'tool-call-delta' ? event.arguments : event.text

export const isTextEvent = (event: ReplyEvent): event is TextEvent => Object.hasOwn(PLACES, event.type)

/** The event with another text. */
export const withText = (event: TextEvent, text: string): TextEvent =>
  event.type === 'tool-call-delta' ? { ...event, arguments: text } : { ...event, text }

/** The id and the name of a tool call, where an event has them: a model wrote them too. */
export const namesOfEvent = (event: TextEvent): Readonly<{ id?: string; name?: string }> => {
  if (event.type !== 'tool-call-delta') return {}
  const { id, name } = event
  return { ...(id !== undefined && { id }), ...(name !== undefined && { name }) }
}

/** Whether an event says more than its text. */
export const saysMore = (event: TextEvent): boolean =>
  event.type === 'tool-call-delta'
    ? event.id !== undefined || event.extraContent !== undefined
    : event.type === 'reasoning-delta' && (event.signature ?? event.redacted) !== undefined

/** The texts of one answer: its content, its reasoning, its refusal, and the arguments of each tool call. */
export class GrowingTexts {
  readonly #guard: Guard
  readonly #texts = new Map<string, GrowingText>()

  constructor(guard: Guard) {
    this.#guard = guard
  }

  /** The verdicts on the id or the name of a tool call, which comes as a whole. */
  verdictsOnName(name: string): readonly Verdict[] {
    return atOnce(this.#guard.spansAt(PLACE_OF_NAMES).inspect(name))
  }

  of(event: TextEvent): GrowingText {
    const key = event.type === 'tool-call-delta' ? `tool ${event.index}` : event.type
    const known = this.#texts.get(key)
    if (known) return known
    const place = placeOf(event)
    const isJson = event.type === 'tool-call-delta' && !event.isCustom
    const created = {
      place,
      holder: this.#guard.spansAt(place).stream(),
      ...(isJson && { json: new JsonPlace() }),
    }
    this.#texts.set(key, created)
    return created
  }
}
