import type { EventGroup, Reply } from './types.ts'

type Step = IteratorResult<EventGroup>

const isLast = (events: EventGroup): boolean => {
  const last = events.at(-1)?.type
  return last === 'finish' || last === 'error'
}

/** Events whose last group waits, and whose closing waits too. */
class HeldEvents implements AsyncIterableIterator<EventGroup> {
  readonly #source: AsyncIterator<EventGroup>
  readonly #until: () => Promise<unknown>
  #isOver = false

  constructor(source: Reply['events'], until: () => Promise<unknown>) {
    this.#source = source[Symbol.asyncIterator]()
    this.#until = until
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async return(): Promise<Step> {
    this.#isOver = true
    await this.#source.return?.()
    await this.#until()
    return { done: true, value: undefined }
  }

  next(): Promise<Step> {
    if (this.#isOver) return Promise.resolve({ done: true, value: undefined })
    return this.#source.next().then(this.#held)
  }

  readonly #held = (step: Step): Step | Promise<Step> =>
    step.done || !isLast(step.value) ? step : this.#last(step)

  /** The source is read to its end first, since the usage is known only then. */
  async #last(step: Step): Promise<Step> {
    this.#isOver = true
    while (!(await this.#source.next()).done);
    await this.#until()
    return step
  }
}

/**
 * Holds a reply's last events back, so that what must be done before its reader has seen the end is done by then.
 * @param until called when the source has ended or was closed; must settle soon, and not reject
 */
export const holdEnd = (reply: Reply, until: () => Promise<unknown>): Reply => ({
  ...reply,
  events: new HeldEvents(reply.events, until),
})
