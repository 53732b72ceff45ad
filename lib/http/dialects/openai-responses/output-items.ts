import type { ReplyEvent } from '../../../llm/types.ts'
import { encryptedContent } from './messages.ts'

/** An event of a stream, without its number. */
export type ItemEvent = Readonly<{ type: string } & Record<string, unknown>>

type Delta<Type extends ReplyEvent['type']> = Extract<ReplyEvent, { type: Type }>

type Status = 'in_progress' | 'completed' | 'incomplete'

/** An item of a response, and the events with which it is written. */
interface OpenItem {
  readonly item: (status: Status) => object
  readonly begin: () => readonly ItemEvent[]
  readonly end: () => readonly ItemEvent[]
}

/** Where an item stands: the members of all events about it. */
type Place = Readonly<{ item_id: string; output_index: number }>

const PARTS = {
  'text-delta': (text: string) => ({ type: 'output_text', text, annotations: [], logprobs: [] }),
  'refusal-delta': (refusal: string) => ({ type: 'refusal', refusal }),
}

/** A message with one part: text, or a refusal. */
class MessageItem implements OpenItem {
  readonly #place: Place
  readonly kind: keyof typeof PARTS
  #text = ''

  constructor(place: Place, kind: keyof typeof PARTS) {
    this.#place = place
    this.kind = kind
  }

  item = (status: Status): object => {
    const content = status === 'in_progress' ? [] : [PARTS[this.kind](this.#text)]
    return { id: this.#place.item_id, type: 'message', status, role: 'assistant', content }
  }

  begin = (): readonly ItemEvent[] => [
    this.#event('response.content_part.added', { part: PARTS[this.kind]('') }),
  ]

  add(delta: string): readonly ItemEvent[] {
    this.#text += delta
    return this.kind === 'text-delta'
      ? [this.#event('response.output_text.delta', { delta, logprobs: [] })]
      : [this.#event('response.refusal.delta', { delta })]
  }

  end = (): readonly ItemEvent[] => [
    this.kind === 'text-delta'
      ? this.#event('response.output_text.done', { text: this.#text, logprobs: [] })
      : this.#event('response.refusal.done', { refusal: this.#text }),
    this.#event('response.content_part.done', { part: PARTS[this.kind](this.#text) }),
  ]

  #event(type: string, members: object): ItemEvent {
    return { type, ...this.#place, content_index: 0, ...members }
  }
}

/** A block of reasoning, as a summary of one part; a redacted one has none. */
class ReasoningItem implements OpenItem {
  readonly #place: Place
  readonly #redacted: string | undefined
  #text = ''
  signature: string | undefined

  constructor(place: Place, redacted?: string) {
    this.#place = place
    this.#redacted = redacted
  }

  item = (status: Status): object => {
    const encrypted = encryptedContent({ signature: this.signature, redacted: this.#redacted })
    return {
      id: this.#place.item_id,
      type: 'reasoning',
      status,
      summary: status === 'in_progress' || this.#text === '' ? [] : [this.#part(this.#text)],
      ...(encrypted !== undefined && { encrypted_content: encrypted }),
    }
  }

  begin = (): readonly ItemEvent[] =>
    this.#redacted === undefined
      ? [this.#event('response.reasoning_summary_part.added', { part: this.#part('') })]
      : []

  add(delta: string): readonly ItemEvent[] {
    this.#text += delta
    return delta === '' ? [] : [this.#event('response.reasoning_summary_text.delta', { delta })]
  }

  end = (): readonly ItemEvent[] =>
    this.#redacted === undefined
      ? [
          this.#event('response.reasoning_summary_text.done', { text: this.#text }),
          this.#event('response.reasoning_summary_part.done', { part: this.#part(this.#text) }),
        ]
      : []

  #part(text: string): object {
    return { type: 'summary_text', text }
  }

  #event(type: string, members: object): ItemEvent {
    return { type, ...this.#place, summary_index: 0, ...members }
  }
}

/** A call of a tool. */
class CallItem implements OpenItem {
  readonly #place: Place
  readonly #call: Delta<'tool-call-delta'>
  #input = ''

  constructor(place: Place, call: Delta<'tool-call-delta'>) {
    this.#place = place
    this.#call = call
  }

  item = (status: Status): object => {
    const { id: callId, name, isCustom } = this.#call
    const base = { id: this.#place.item_id, status, call_id: callId, name }
    return isCustom
      ? { ...base, type: 'custom_tool_call', input: this.#input }
      : { ...base, type: 'function_call', arguments: this.#input }
  }

  begin = (): readonly ItemEvent[] => []

  add(delta: string): readonly ItemEvent[] {
    this.#input += delta
    return delta === '' ? [] : [{ type: `${this.#type}.delta`, ...this.#place, delta }]
  }

  end = (): readonly ItemEvent[] => {
    const { name, isCustom } = this.#call
    const input = isCustom ? { input: this.#input } : { name, arguments: this.#input }
    return [{ type: `${this.#type}.done`, ...this.#place, ...input }]
  }

  get #type(): string {
    return `response.${this.#call.isCustom ? 'custom_tool_call_input' : 'function_call_arguments'}`
  }
}

/**
 * The items of a response in the order in which they begin. Text and reasoning end where something else begins; calls
 * of tools may come side by side, and end with the answer.
 */
export class OutputItems {
  readonly #ownId: string
  readonly #all: OpenItem[] = []
  readonly #open = new Set<OpenItem>()
  readonly #calls = new Map<number, CallItem>()
  readonly #done = new Map<OpenItem, object>()
  #last: MessageItem | ReasoningItem | undefined

  /** @param ownId for the ids of its items, which nothing else has */
  constructor(ownId: string) {
    this.#ownId = ownId
  }

  /** The items as far as they are complete. */
  get output(): readonly object[] {
    return this.#all.flatMap(item => this.#done.get(item) ?? [])
  }

  add(event: ReplyEvent): readonly ItemEvent[] {
    switch (event.type) {
      case 'text-delta':
      case 'refusal-delta':
        return event.text === '' ? [] : this.#addText(event)
      case 'reasoning-delta':
        return this.#addReasoning(event)
      case 'tool-call-delta':
        return this.#addCall(event)
      default:
        return []
    }
  }

  /** Ends all that is still open. */
  end(status: 'completed' | 'incomplete'): readonly ItemEvent[] {
    this.#last = undefined
    return [...this.#open].flatMap(item => this.#end(item, status))
  }

  #addText({ type, text }: Delta<'text-delta'> | Delta<'refusal-delta'>): readonly ItemEvent[] {
    if (this.#last instanceof MessageItem && this.#last.kind === type) return this.#last.add(text)
    const ended = this.#endLast()
    const item = new MessageItem(this.#place('msg'), type)
    this.#last = item
    return [...ended, ...this.#begin(item), ...item.add(text)]
  }

  #addRedacted(redacted: string): readonly ItemEvent[] {
    const ended = this.#endLast()
    const item = new ReasoningItem(this.#place('rs'), redacted)
    return [...ended, ...this.#begin(item), ...this.#end(item, 'completed')]
  }

  #addReasoning({ text, signature, redacted }: Delta<'reasoning-delta'>): readonly ItemEvent[] {
    if (redacted !== undefined) return this.#addRedacted(redacted)
    let events: readonly ItemEvent[] = []
    let item = this.#last instanceof ReasoningItem ? this.#last : undefined
    if (!item) {
      const ended = this.#endLast()
      item = new ReasoningItem(this.#place('rs'))
      this.#last = item
      events = [...ended, ...this.#begin(item)]
    }
    const added = item.add(text)
    if (signature === undefined) return [...events, ...added]
    // It ends its block.
    item.signature = signature
    return [...events, ...added, ...this.#endLast()]
  }

  #addCall(event: Delta<'tool-call-delta'>): readonly ItemEvent[] {
    const known = this.#calls.get(event.index)
    if (known) return known.add(event.arguments)
    const ended = this.#endLast()
    const item = new CallItem(this.#place(event.isCustom ? 'ctc' : 'fc'), event)
    this.#calls.set(event.index, item)
    return [...ended, ...this.#begin(item), ...item.add(event.arguments)]
  }

  #place(prefix: string): Place {
    const index = this.#all.length
    return { item_id: `${prefix}_${this.#ownId}${String(index).padStart(2, '0')}`, output_index: index }
  }

  #begin(item: OpenItem): readonly ItemEvent[] {
    const index = this.#all.length
    this.#all.push(item)
    this.#open.add(item)
    const added = { type: 'response.output_item.added', output_index: index, item: item.item('in_progress') }
    return [added, ...item.begin()]
  }

  #endLast(): readonly ItemEvent[] {
    const last = this.#last
    this.#last = undefined
    return last ? this.#end(last, 'completed') : []
  }

  #end(item: OpenItem, status: 'completed' | 'incomplete'): readonly ItemEvent[] {
    this.#open.delete(item)
    const done = item.item(status)
    this.#done.set(item, done)
    const index = this.#all.indexOf(item)
    return [...item.end(), { type: 'response.output_item.done', output_index: index, item: done }]
  }
}
