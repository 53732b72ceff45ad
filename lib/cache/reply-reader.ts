import type { Clock, Timer } from '../clock.ts'
import { GatewayError, toGatewayError } from '../errors.ts'
import type { Call, EventGroup, Reply } from '../llm/types.ts'

type Step = IteratorResult<EventGroup>

const DONE: Step = { done: true, value: undefined }

/** What a reader needs of its in-flight reply. */
export type Source = Readonly<{
  /** The group at a position: undefined where it has not come, a `done` step after the last. */
  at: (position: number) => Step | undefined
  /** Requests one more group; all waiting readers are woken when it arrives. */
  pull: () => void
  detached: (reader: ReplyReader) => void
}>

/**
 * One reader of an answer in progress, at its own speed. Its own signal, and on request its own deadline, ends only its
 * own reading.
 */
export class ReplyReader {
  readonly #source: Source
  readonly #signal: AbortSignal
  readonly #onAbort = () => this.#fail(toGatewayError(this.#signal.reason))
  readonly #deadline: Timer | undefined
  readonly #isStream: boolean
  readonly #head = Promise.withResolvers<Reply>()
  #position = 0
  #isReading = true
  #failure: GatewayError | undefined
  #waiting: ((step: Step) => void) | undefined

  /** @param clock keeps the call's deadline; absent where the in-flight reply itself keeps it. */
  constructor(source: Source, { signal, deadlineAt, stream }: Call, clock: Clock | undefined) {
    this.#source = source
    this.#signal = signal
    this.#isStream = stream
    if (clock && Number.isFinite(deadlineAt))
      this.#deadline = clock.timer(deadlineAt - clock.now(), this.#tooLate)
    if (signal.aborted) this.#onAbort()
    else signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** The answer, once its first content is there. */
  get reply(): Promise<Reply> {
    return this.#head.promise
  }

  get isReading(): boolean {
    return this.#isReading
  }

  /** Delivers the shared reply. */
  deliver(reply: Reply): void {
    if (this.#isStream) this.#deadline?.cancel()
    this.#head.resolve({ ...reply, events: this.#events })
  }

  /** Ends the reading before the first content. */
  fail(error: unknown): void {
    this.#detach()
    this.#head.reject(error)
  }

  /** The next group that this reader has not read. */
  get position(): number {
    return this.#position
  }

  /** Retries the pending read. */
  wake(): void {
    const waiting = this.#waiting
    const step = waiting && this.#take()
    if (!step) return
    this.#waiting = undefined
    waiting(step)
  }

  readonly #tooLate = () => this.#fail(new GatewayError('TIMEOUT', 'The answer took too long.'))

  #take(): Step | undefined {
    const failure = this.#failure
    this.#failure = undefined
    if (failure) return { done: false, value: [{ type: 'error', error: failure }] }
    if (!this.#isReading) return DONE
    const step = this.#source.at(this.#position)
    if (step?.done) this.#detach()
    else if (step) this.#position += 1
    return step
  }

  readonly #next = (): Promise<Step> => {
    const step = this.#take()
    if (step) return Promise.resolve(step)
    return new Promise(resolve => {
      this.#waiting = resolve
      this.#source.pull()
    })
  }

  readonly #return = async (): Promise<Step> => {
    this.#detach()
    return DONE
  }

  readonly #events: Reply['events'] = {
    [Symbol.asyncIterator]: () => ({ next: this.#next, return: this.#return }),
  }

  #fail(error: GatewayError): void {
    if (!this.#isReading) return
    this.#failure = error
    this.#head.reject(error)
    // A reader that has the answer already gets the error as an event.
    this.#head.promise.catch(() => {})
    this.#detach()
    this.wake()
  }

  #detach(): void {
    if (!this.#isReading) return
    this.#isReading = false
    this.#deadline?.cancel()
    this.#signal.removeEventListener('abort', this.#onAbort)
    this.#source.detached(this)
  }
}
