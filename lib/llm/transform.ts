import type { EventGroup, Reply } from './types.ts'

type Step = IteratorResult<EventGroup>

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
