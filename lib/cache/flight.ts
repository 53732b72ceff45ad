import { GatewayError, toGatewayError } from '../errors.ts'
import type { Reply, ReplyEvent } from '../llm/types.ts'

type Batch = readonly ReplyEvent[]

/** Resolves, and never rejects, when the signal aborts; `stop` ends the waiting. */
const abortOf = (signal: AbortSignal) => {
  const { promise, resolve } = Promise.withResolvers<'aborted'>()
  const onAbort = () => resolve('aborted')
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  return { promise, stop: () => signal.removeEventListener('abort', onAbort) }
}

/**
 * One answer under way, read by everyone who asked the same while it came. Whoever joins late is given what has
 * come so far; each reads at their own speed, and the fastest pulls. A reader who leaves, the first one too,
 * harms nobody; with the last one the upstream is left.
 */
export class Flight {
  readonly #controller = new AbortController()
  readonly #reply: Promise<Reply>
  readonly #onOver: () => void
  readonly #batches: Batch[] = []
  #source: AsyncIterator<Batch> | undefined
  #pulling: Promise<void> | undefined
  #readers = 0
  #over = false

  /** @param onOver called once, when there is nothing more to join. */
  constructor(ask: (signal: AbortSignal) => Promise<Reply>, onOver: () => void) {
    this.#onOver = onOver
    this.#reply = ask(this.#controller.signal)
    this.#reply.then(
      ({ events }) => {
        this.#source = events[Symbol.asyncIterator]()
        if (this.#over) void this.#source.return?.()
      },
      () => this.#end(),
    )
  }

  /**
   * The answer for one more reader.
   * @throws what the flight failed with before its first content, or the signal's reason.
   */
  async read(signal: AbortSignal): Promise<Reply> {
    this.#readers += 1
    const abort = abortOf(signal)
    const leave = () => {
      abort.stop()
      this.#readers -= 1
      if (this.#readers === 0) this.#abandon()
    }
    try {
      const reply = await Promise.race([this.#reply, abort.promise])
      if (reply === 'aborted') throw signal.reason
      return { ...reply, events: this.#readFrom(signal, abort.promise, leave) }
    } catch (thrown) {
      leave()
      throw thrown
    }
  }

  #readFrom(signal: AbortSignal, aborted: Promise<'aborted'>, leave: () => void): Reply['events'] {
    let position = 0
    let reading = true
    const stop = () => {
      if (!reading) return
      reading = false
      leave()
    }
    const next = async (): Promise<IteratorResult<Batch>> => {
      if (!reading) return { done: true, value: undefined }
      const batch = await Promise.race([this.#batch(position), aborted])
      if (batch === 'aborted') {
        stop()
        return { done: false, value: [{ type: 'error', error: toGatewayError(signal.reason) }] }
      }
      if (batch) {
        position += 1
        return { done: false, value: batch }
      }
      stop()
      return { done: true, value: undefined }
    }
    const left = async (): Promise<IteratorResult<Batch>> => {
      stop()
      return { done: true, value: undefined }
    }
    return { [Symbol.asyncIterator]: () => ({ next, return: left }) }
  }

  /** The batch at a position, pulled from the source if it has not come yet; nothing after the last one. */
  async #batch(position: number): Promise<Batch | undefined> {
    while (position >= this.#batches.length && !this.#over) {
      this.#pulling ??= this.#pull()
      await this.#pulling
    }
    return this.#batches[position]
  }

  async #pull(): Promise<void> {
    const step = await this.#source?.next()
    this.#pulling = undefined
    if (!step || step.done) this.#end()
    else this.#batches.push(step.value)
  }

  #abandon(): void {
    if (this.#over) return
    this.#end()
    // Before the first content there is no source yet: whatever still comes is left as it comes.
    this.#controller.abort(new GatewayError('CLIENT_GONE'))
    void this.#source?.return?.()
  }

  #end(): void {
    if (this.#over) return
    this.#over = true
    this.#onOver()
  }
}
