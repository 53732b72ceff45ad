import { GatewayError } from '../errors.ts'
import { placedAfter, type Reasoning, type ToolCall } from './message.ts'
import type { EventGroup, Reply, ReplyEvent } from './types.ts'

type Step = IteratorResult<EventGroup>

/** `complete`: a finish event came; `failed`: an error event came; `left`: the reader left before either. */
type Ending = 'complete' | 'failed' | 'left'

type ReplyObserver = Readonly<{
  /** Called when the reader requests the next group of events. */
  onPull?: () => void
  /** Gets each group of events before the reader does. */
  onEvents?: (events: EventGroup) => void
  /** Called exactly once, also when the reader leaves before the first group. */
  onEnd?: (ending: Ending) => void
}>

const endingOf = (events: EventGroup): Ending | undefined => {
  const last = events.at(-1)?.type
  if (last === 'finish') return 'complete'
  return last === 'error' ? 'failed' : undefined
}

/**
 * Events passing their observers, the innermost first. It is not a generator, so that closing it unread is detected.
 */
class ObservedEvents implements AsyncIterable<EventGroup>, AsyncIterator<EventGroup> {
  readonly source: Reply['events']
  readonly observers: readonly ReplyObserver[]
  #events: AsyncIterator<EventGroup> | undefined
  #ending: Ending = 'left'
  #open = true

  constructor(source: Reply['events'], observers: readonly ReplyObserver[]) {
    this.source = source
    this.observers = observers
  }

  [Symbol.asyncIterator](): this {
    this.#events ??= this.source[Symbol.asyncIterator]()
    return this
  }

  next(): Promise<Step> {
    for (const observer of this.observers) observer.onPull?.()
    return this.#iterator.next().then(this.#observe)
  }

  async return(): Promise<Step> {
    this.#end()
    await this.#iterator.return?.()
    return { done: true, value: undefined }
  }

  get #iterator(): AsyncIterator<EventGroup> {
    this.#events ??= this.source[Symbol.asyncIterator]()
    return this.#events
  }

  readonly #observe = (step: Step): Step => {
    if (step.done) this.#end()
    else {
      this.#ending = endingOf(step.value) ?? this.#ending
      for (const observer of this.observers) observer.onEvents?.(step.value)
    }
    return step
  }

  #end(): void {
    if (!this.#open) return
    this.#open = false
    for (const observer of this.observers) observer.onEnd?.(this.#ending)
  }
}

/** Lets a policy observe a reply. Nested taps form one layer, so that each costs next to nothing per group. */
export const tap = (reply: Reply, observer: ReplyObserver): Reply => {
  const { events } = reply
  const observed =
    events instanceof ObservedEvents
      ? new ObservedEvents(events.source, [...events.observers, observer])
      : new ObservedEvents(events, [observer])
  return { ...reply, events: observed }
}

const OVER: Promise<Step> = Promise.resolve({ done: true, value: undefined })

/** Complete events as a reply's events: one group, and the end. */
class OneGroup implements AsyncIterable<EventGroup>, AsyncIterator<EventGroup> {
  #group: EventGroup | undefined

  constructor(events: EventGroup) {
    this.#group = events
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<Step> {
    const value = this.#group
    this.#group = undefined
    return value ? Promise.resolve({ done: false, value }) : OVER
  }

  return(): Promise<Step> {
    this.#group = undefined
    return OVER
  }
}

export const oneGroup = (events: EventGroup): Reply['events'] => new OneGroup(events)

/** What to pass on in place of some events. With `ends` they are the last ones, and the source is closed. */
export type Change = Readonly<{ events: EventGroup; ends?: true }>

/** Changed events. Closing them, read or unread, closes their source. */
class ChangedEvents implements AsyncIterableIterator<EventGroup> {
  readonly #source: AsyncIterator<EventGroup>
  readonly #change: (events: EventGroup) => Change
  #isOver = false

  constructor(source: Reply['events'], change: (events: EventGroup) => Change) {
    this.#source = source[Symbol.asyncIterator]()
    this.#change = change
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async return(): Promise<Step> {
    this.#isOver = true
    await this.#source.return?.()
    return { done: true, value: undefined }
  }

  next(): Promise<Step> {
    if (this.#isOver) return Promise.resolve({ done: true, value: undefined })
    return this.#source.next().then(this.#changed)
  }

  readonly #changed = (step: Step): Step | Promise<Step> => {
    if (step.done) return step
    const { events, ends } = this.#change(step.value)
    if (ends) return this.return().then(() => ({ done: false, value: events }))
    return events.length > 0 ? { done: false, value: events } : this.next()
  }
}

/** Lets a policy change a reply's events. `change` is called for all that have arrived together. */
export const transform = (reply: Reply, change: (events: EventGroup) => Change): Reply => ({
  ...reply,
  events: new ChangedEvents(reply.events, change),
})

/**
 * A generator whose first value is already fetched, so that closing it unread still runs its `finally`
 * (a generator that was never started skips it).
 */
export const prefetched = async <T>(events: AsyncGenerator<T>): Promise<AsyncIterable<T>> => {
  let first: IteratorResult<T> | undefined = await events.next()
  const iterator: AsyncIterator<T> = {
    async next() {
      const step = first ?? (await events.next())
      first = undefined
      return step
    },
    return: () => events.return(undefined),
  }
  return { [Symbol.asyncIterator]: () => iterator }
}

export type Finish = Extract<ReplyEvent, { type: 'finish' }>

export type ToolEvent = Extract<ReplyEvent, { type: 'tool' }>

/** A whole answer. */
export type WholeReply = Readonly<{
  text: string
  refusal: string
  reasoning: readonly Reasoning[]
  toolCalls: readonly ToolCall[]
  /** The gateway's own tools that were run, with their results; absent where there are none. */
  tools?: readonly ToolEvent[]
  finish: Finish
}>

/** The text that an event adds to its answer: of an answer, a refusal, reasoning as it comes, or a tool's arguments. */
export const addedText = (event: ReplyEvent): string => {
  if (event.type === 'tool-call-delta') return event.arguments
  if (event.type === 'reasoning-delta') return event.redacted ?? event.text
  return 'text' in event ? event.text : ''
}

const resultJson = ({ result }: ToolEvent): string => JSON.stringify(result ?? '')

/** How many characters of memory an event takes. */
export const charactersOf = (event: ReplyEvent): number => {
  if (event.type === 'body-bytes') return event.bytes.length
  if (event.type === 'tool') return resultJson(event).length + (event.arguments?.length ?? 0)
  return event.type === 'wire' ? event.json.length : addedText(event).length
}

/** How many bytes an event adds to the answer that a client of its format gets. */
export const bytesOf = (event: ReplyEvent): number => {
  if (event.type === 'body-bytes') return event.bytes.length
  return Buffer.byteLength(event.type === 'wire' ? event.json : addedText(event))
}

const isPartOf = (last: ReplyEvent | undefined, event: ReplyEvent): last is ReplyEvent => {
  if (!last || last.type !== event.type) return false
  if (last.type === 'tool-call-delta') return event.type === 'tool-call-delta' && event.index === last.index
  return last.type === 'text-delta' || last.type === 'refusal-delta' || last.type === 'reasoning-delta'
}

const extraContentIn = ({ extraContent }: Readonly<{ extraContent?: unknown }>) =>
  extraContent === undefined ? {} : { extraContent }

const joined = (last: ReplyEvent, event: ReplyEvent): ReplyEvent => {
  if (last.type === 'text-delta' && event.type === 'text-delta')
    return { type: 'text-delta', text: last.text + event.text }
  if (last.type === 'tool-call-delta' && event.type === 'tool-call-delta')
    return { ...last, ...extraContentIn(event), arguments: last.arguments + event.arguments }
  if (last.type === 'reasoning-delta' && event.type === 'reasoning-delta')
    return { ...last, ...event, text: last.text + event.text }
  return 'text' in last && 'text' in event ? { ...last, text: last.text + event.text } : event
}

const isRedacted = (event: ReplyEvent): boolean =>
  event.type === 'reasoning-delta' && event.redacted !== undefined

const endsBlock = (event: ReplyEvent): boolean =>
  isRedacted(event) || (event.type === 'reasoning-delta' && event.signature !== undefined)

/**
 * Appends an event, so that the events say the same in fewer pieces: adjacent deltas of the same kind become one. A
 * signature ends its block of reasoning, so that what follows it begins another; a redacted block stands alone.
 */
export const append = (events: ReplyEvent[], event: ReplyEvent): void => {
  const last = events.at(-1)
  if (isPartOf(last, event) && !endsBlock(last) && !isRedacted(event))
    events[events.length - 1] = joined(last, event)
  else events.push(event)
}

/** The answer that appended events make, or `undefined` where they do not end with a finish. */
export const answerOf = (events: readonly ReplyEvent[]): WholeReply | undefined => {
  let [text, refusal] = ['', '']
  const reasoning: Reasoning[] = []
  const toolCalls: ToolCall[] = []
  const tools: ToolEvent[] = []
  let finish: Finish | undefined
  for (const event of events) {
    if (event.type === 'text-delta') text += event.text
    else if (event.type === 'refusal-delta') refusal += event.text
    else if (event.type === 'reasoning-delta') {
      const { type: _, ...block } = event
      reasoning.push(placedAfter(block, (text === '' ? 0 : 1) + toolCalls.length))
    } else if (event.type === 'tool-call-delta') {
      const { index, id = '', name = '', arguments: added, isCustom } = event
      const known = toolCalls[index]
      toolCalls[index] = {
        ...(known ?? { id, name, ...(isCustom && { isCustom }) }),
        ...extraContentIn(event),
        arguments: (known?.arguments ?? '') + added,
      }
    } else if (event.type === 'tool') {
      if (event.state !== 'running') tools.push(event)
    } else if (event.type === 'finish') finish = event
  }
  if (!finish) return undefined
  const answer = { text, refusal, reasoning, toolCalls: toolCalls.filter(Boolean), finish }
  return tools.length > 0 ? { ...answer, tools } : answer
}

/** Reads a reply's events to their end. Throws the error that ends it. */
export const collectEvents = async (reply: Reply): Promise<readonly ReplyEvent[]> => {
  const events: ReplyEvent[] = []
  for await (const arrived of reply.events)
    for (const event of arrived) {
      if (event.type === 'error') throw event.error
      append(events, event)
    }
  return events
}

/** Reads a reply to its end. Throws the error that ends it, or PROVIDER_ERROR where it ends without a finish. */
export const collect = async (reply: Reply): Promise<WholeReply> => {
  const answer = answerOf(await collectEvents(reply))
  if (!answer) throw unfinished()
  return answer
}

/** The error for an answer that ends without saying that it is complete. */
export const unfinished = (): GatewayError =>
  new GatewayError('PROVIDER_ERROR', "The provider's stream ended without a finish event.")
