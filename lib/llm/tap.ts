import type { EventGroup, Reply } from './types.ts'

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
