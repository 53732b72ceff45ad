import type { Change } from '../../llm/events.ts'
import type { EventGroup, ReplyEvent } from '../../llm/types.ts'
import { isJson } from '../json-strings.ts'
import { type Placeholders, Restorer, restore } from '../redact.ts'
import { isTextEvent, type TextEvent, textOfEvent, withText } from './guarded-texts.ts'

/** How a value is written within a string of a JSON text. */
const inJson = (value: string): string => JSON.stringify(value).slice(1, -1)

/**
 * Puts redacted values back into an answer. Its reasoning keeps the placeholders: its vendor has signed it, and checks
 * it when it comes back.
 */
export class AnswerRestorer {
  readonly #placeholders: Placeholders
  readonly #restorers = new Map<string, { event: TextEvent; restorer: Restorer }>()

  constructor(placeholders: Placeholders) {
    this.#placeholders = placeholders
  }

  readonly take = (group: EventGroup): Change => ({ events: group.flatMap(event => this.#restored(event)) })

  #restored(event: ReplyEvent): readonly ReplyEvent[] {
    if (event.type === 'reasoning-delta') return [event]
    if (isTextEvent(event)) return this.#grown(event)
    if (event.type === 'finish' || event.type === 'error') return [...this.#rest(), event]
    if (event.type === 'body-text')
      return [
        { ...event, text: restore(event.text, this.#placeholders, isJson(event.text) ? inJson : undefined) },
      ]
    return event.type === 'wire' ? [] : [event]
  }

  #grown(event: TextEvent): readonly ReplyEvent[] {
    const key = event.type === 'tool-call-delta' ? `tool ${event.index}` : event.type
    const isCall = event.type === 'tool-call-delta'
    const known = this.#restorers.get(key) ?? { event, restorer: this.#restorerFor(event) }
    this.#restorers.set(key, known)
    const text = known.restorer.push(textOfEvent(event))
    return text === '' && !(isCall && (event.id !== undefined || event.extraContent !== undefined))
      ? []
      : [withText(event, text)]
  }

  /** The arguments of a tool are JSON, but for those of a custom one. */
  #restorerFor(event: TextEvent): Restorer {
    const isJson = event.type === 'tool-call-delta' && !event.isCustom
    return new Restorer(this.#placeholders, isJson ? inJson : undefined)
  }

  /** What was held back because a placeholder may have begun. */
  #rest(): readonly ReplyEvent[] {
    return [...this.#restorers.values()].flatMap(({ event, restorer }) => {
      const text = restorer.end()
      if (text === '') return []
      return event.type === 'tool-call-delta'
        ? [{ type: event.type, index: event.index, arguments: text }]
        : [withText(event, text)]
    })
  }
}
