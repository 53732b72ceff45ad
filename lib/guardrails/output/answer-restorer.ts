import type { Change } from '../../llm/events.ts'
import type { EventGroup, ReplyEvent } from '../../llm/types.ts'
import { isJson } from '../json-strings.ts'
import { type Placeholders, Restorer, restore } from '../redact.ts'
import { isTextEvent, type TextEvent, textOfEvent, withText } from './guarded-texts.ts'

/** How a value is written within a string of a JSON text. */
const inJson = (value: string): string => JSON.stringify(value).slice(1, -1)

/** What begins like an object or a list of JSON, whose white space is left out: a placeholder begins with a bracket too. */
const BEGINS_LIKE_JSON = /^(?:\{["}]|\[["{[\]])/
const BEGINNING = 2

/** A text that is given back in pieces, and the first of what it says. */
class Growing {
  readonly event: TextEvent
  readonly #restorer: Restorer
  readonly #isJson: boolean
  #beginning = ''

  /** @param isJson whether it is JSON, however it begins */
  constructor(event: TextEvent, placeholders: Placeholders, isJson: boolean) {
    this.event = event
    this.#isJson = isJson
    this.#restorer = new Restorer(placeholders, value => (this.#looksLikeJson() ? inJson(value) : value))
  }

  push(text: string): string {
    if (this.#beginning.length < BEGINNING)
      this.#beginning = (this.#beginning + text.replace(/\s+/g, '')).slice(0, BEGINNING)
    return this.#restorer.push(text)
  }

  end(): string {
    return this.#restorer.end()
  }

  #looksLikeJson(): boolean {
    return this.#isJson || (this.event.type === 'text-delta' && BEGINS_LIKE_JSON.test(this.#beginning))
  }
}

/**
 * Puts redacted values back into an answer. Its reasoning keeps the placeholders: its vendor has signed it, and checks
 * it when it comes back.
 */
export class AnswerRestorer {
  readonly #placeholders: Placeholders
  readonly #isJson: boolean
  readonly #texts = new Map<string, Growing>()

  /** @param isJson whether JSON was asked for; an answer that begins like JSON is taken for it too */
  constructor(placeholders: Placeholders, isJson = false) {
    this.#placeholders = placeholders
    this.#isJson = isJson
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
    const known = this.#texts.get(key) ?? new Growing(event, this.#placeholders, this.#isJsonIn(event))
    this.#texts.set(key, known)
    const text = known.push(textOfEvent(event))
    return text === '' && !(isCall && (event.id !== undefined || event.extraContent !== undefined))
      ? []
      : [withText(event, text)]
  }

  /** The arguments of a tool are JSON, but for those of a custom one. */
  #isJsonIn(event: TextEvent): boolean {
    return event.type === 'tool-call-delta' ? !event.isCustom : event.type === 'text-delta' && this.#isJson
  }

  /** What was held back because a placeholder may have begun. */
  #rest(): readonly ReplyEvent[] {
    return [...this.#texts.values()].flatMap(growing => {
      const { event } = growing
      const text = growing.end()
      if (text === '') return []
      return event.type === 'tool-call-delta'
        ? [{ type: event.type, index: event.index, arguments: text }]
        : [withText(event, text)]
    })
  }
}
