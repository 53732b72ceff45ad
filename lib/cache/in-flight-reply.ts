import type { Clock, Timer } from '../clock.ts'
import { GatewayError, toGatewayError } from '../errors.ts'
import { charactersOf } from '../llm/events.ts'
import type { CacheTrace, Call, EventGroup, Reply } from '../llm/types.ts'
import { turn } from '../loop-turns.ts'

/** `complete`: it ended well; `broken`: it failed, or all readers have left; `too-large`: too long to be joined. */
export type InFlightEnd = 'complete' | 'broken' | 'too-large'

const COLLAPSED: CacheTrace = { forwarded: 'miss', collapsed: true }
/** How much of an answer is buffered for later readers. */
const MOST_CHARACTERS_HELD = 262_144

const shared = (reply: Reply): Reply => ({
  ...reply,
  head: { ...reply.head, cache: 'hit', cacheTrace: COLLAPSED },
})

const lengthOf = (group: EventGroup): number =>
  group.reduce((length, event) => length + charactersOf(event), 0)

/** Thousands may read the same answer, each with its own writes. */
const eachInTurn = async (
  readers: Iterable<ReplyReader>,
  act: (reader: ReplyReader) => void,
): Promise<void> => {
  for (const reader of [...readers]) {
    const wait = turn()
    if (wait) await wait
    act(reader)
  }
}

/**
 * One answer in progress, shared by all calls with the same question. A late reader gets what has arrived so far; each
 * reads at its own speed, and the fastest pulls. A reader that leaves, even the first one, does not affect the others;
 * when the last one leaves, the upstream call is aborted.
 *
 * Exactly one reader is charged: the first in line when the first content arrives, which is the initiator unless it has
 * left by then. Leaving afterwards does not move the charge. All others count as hits.
 */
export class InFlightReply implements Source {
  readonly #controller = new AbortController()
  readonly #clock: Clock
  readonly #onEnd: (how: InFlightEnd) => void
  readonly #readers = new Set<ReplyReader>()
  readonly #groups: EventGroup[] = []
  /** The position of the first group that is still held. */
  #first = 0
  #held = 0
  #reply: Reply | undefined
  #events: AsyncIterator<EventGroup> | undefined
  #isPulling = false
  #isComplete = false
  #isTooLarge = false
  #isOver = false

  /** @param onEnd called when it can no longer be joined: once, or a second time after `too-large`. */
  constructor(ask: (signal: AbortSignal) => Promise<Reply>, clock: Clock, onEnd: (how: InFlightEnd) => void) {
    this.#clock = clock
    this.#onEnd = onEnd
    ask(this.#controller.signal).then(
      reply => this.#begin(reply),
      error => this.#failAll(error),
    )
  }

  /** The answer for the initiator, whose deadline is that of the in-flight reply. */
  lead(call: Call): Promise<Reply> {
    return this.#admit(new ReplyReader(this, call, undefined))
  }

  /**
   * The answer for one more reader.
   * @throws the in-flight reply's error before its first content; GatewayError TIMEOUT after the reader's own
   * deadline; the reason of the reader's own signal.
   */
  join(call: Call): Promise<Reply> {
    return this.#admit(new ReplyReader(this, call, this.#clock))
  }

  at(position: number): IteratorResult<EventGroup> | undefined {
    const group = this.#groups[position - this.#first]
    if (group) return { done: false, value: group }
    return this.#isOver ? { done: true, value: undefined } : undefined
  }

  pull(): void {
    if (this.#isPulling || !this.#events) return
    this.#isPulling = true
    this.#events.next().then(
      step => this.#take(step.done ? undefined : step.value),
      thrown => this.#take([{ type: 'error', error: toGatewayError(thrown) }]),
    )
  }

  detached(reader: ReplyReader): void {
    this.#readers.delete(reader)
    if (this.#readers.size > 0 || this.#isOver) return
    this.#end('broken')
    this.#controller.abort(new GatewayError('CLIENT_GONE'))
    // Before the first content there are no events yet: they are closed when they arrive.
    void this.#events?.return?.()
  }

  #admit(reader: ReplyReader): Promise<Reply> {
    if (reader.isReading) {
      this.#readers.add(reader)
      if (this.#reply) reader.deliver(shared(this.#reply))
    }
    return reader.reply
  }

  #begin(reply: Reply): void {
    this.#reply = reply
    this.#events = reply.events[Symbol.asyncIterator]()
    if (this.#isOver) return void this.#events.return?.()
    const [payer, ...others] = this.#readers
    payer?.deliver(reply)
    if (others.length === 0) return
    const repeated = shared(reply)
    void eachInTurn(others, reader => reader.deliver(repeated))
  }

  #failAll(error: unknown): void {
    this.#end('broken')
    void eachInTurn(this.#readers, reader => reader.fail(error))
  }

  #take(group: EventGroup | undefined): void {
    this.#isPulling = false
    if (group) this.#hold(group)
    else this.#end(this.#isComplete ? 'complete' : 'broken')
    void eachInTurn(this.#readers, reader => reader.wake())
    if (this.#isTooLarge) this.#dropRead()
  }

  #hold(group: EventGroup): void {
    this.#groups.push(group)
    this.#held += lengthOf(group)
    this.#isComplete = group.at(-1)?.type === 'finish'
    if (this.#isTooLarge || this.#held <= MOST_CHARACTERS_HELD) return
    this.#isTooLarge = true
    this.#onEnd('too-large')
  }

  /** Closed to new readers: groups that all have read are dropped. */
  #dropRead(): void {
    let least = Number.POSITIVE_INFINITY
    for (const { position } of this.#readers) least = Math.min(least, position)
    const passed = Math.min(least - this.#first, this.#groups.length)
    this.#groups.splice(0, passed)
    this.#first += passed
  }

  #end(how: InFlightEnd): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#onEnd(how)
  }
}

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
