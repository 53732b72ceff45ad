import type { Reply, ReplyEvent } from './types.ts'

type Batch = readonly ReplyEvent[]
type Step = IteratorResult<Batch>

/** `complete`: a finish event came; `failed`: an error event came; `left`: the reader left before either. */
type Ending = 'complete' | 'failed' | 'left'

type ReplyObserver = Readonly<{
  /** Called when the reader requests the next batch. */
  onPull?: () => void
  /** Sees each batch before the reader does. */
  onBatch?: (batch: Batch) => void
  /** Called exactly once, also when the reader leaves before the first batch. */
  onEnd?: (ending: Ending) => void
}>

const endingOf = (batch: Batch): Ending | undefined => {
  const last = batch.at(-1)?.type
  if (last === 'finish') return 'complete'
  return last === 'error' ? 'failed' : undefined
}

/**
 * Events passing their observers, the innermost first. It is not a generator, so that closing it unread is detected.
 */
class ObservedEvents implements AsyncIterable<Batch>, AsyncIterator<Batch> {
  readonly source: Reply['events']
  readonly observers: readonly ReplyObserver[]
  #events: AsyncIterator<Batch> | undefined
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
    return this.#iterator.next().then(this.#seen)
  }

  async return(): Promise<Step> {
    this.#end()
    await this.#iterator.return?.()
    return { done: true, value: undefined }
  }

  get #iterator(): AsyncIterator<Batch> {
    this.#events ??= this.source[Symbol.asyncIterator]()
    return this.#events
  }

  readonly #seen = (step: Step): Step => {
    if (step.done) this.#end()
    else {
      this.#ending = endingOf(step.value) ?? this.#ending
      for (const observer of this.observers) observer.onBatch?.(step.value)
    }
    return step
  }

  #end(): void {
    if (!this.#open) return
    this.#open = false
    for (const observer of this.observers) observer.onEnd?.(this.#ending)
  }
}

/** Lets a policy observe a reply. Nested taps form one layer, so that each costs next to nothing per batch. */
export const tap = (reply: Reply, observer: ReplyObserver): Reply => {
  const { events } = reply
  const observed =
    events instanceof ObservedEvents
      ? new ObservedEvents(events.source, [...events.observers, observer])
      : new ObservedEvents(events, [observer])
  return { ...reply, events: observed }
}

const OVER: Promise<Step> = Promise.resolve({ done: true, value: undefined })

/** Complete events as a reply's events: one batch, and the end. */
class OneBatch implements AsyncIterable<Batch>, AsyncIterator<Batch> {
  #batch: Batch | undefined

  constructor(batch: Batch) {
    this.#batch = batch
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<Step> {
    const value = this.#batch
    this.#batch = undefined
    return value ? Promise.resolve({ done: false, value }) : OVER
  }

  return(): Promise<Step> {
    this.#batch = undefined
    return OVER
  }
}

export const oneBatch = (batch: Batch): Reply['events'] => new OneBatch(batch)
