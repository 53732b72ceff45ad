import { type Clock, sleep } from '#lib/clock.ts'
import { GatewayError, toGatewayError } from '#lib/errors.ts'
import type { Call, Provider, Reply, ReplyEvent, Target, Usage } from '#lib/llm/types.ts'
import type { AttemptEnding } from './history.ts'
import type { Fate } from './scenario.ts'

type Batch = readonly ReplyEvent[]

/** One attempt, as the world keeps its books of it. */
export type AttemptBook = Readonly<{
  id: string
  onContent: () => void
  onOver: (how: AttemptEnding, outputTokens: number) => void
}>

export type ProviderParts = Readonly<{
  id: string
  clock: Clock
  fateOf: (target: Target) => Fate
  open: (call: Call, target: Target) => AttemptBook
}>

const FOREVER_MS = 1e9
const DONE = { done: true as const, value: undefined }

/** What was asked, who asked it, and which attempt says so. */
const markOf = ({ messages, caller }: Call, { id }: AttemptBook): string =>
  `${messages[0]?.content} of ${caller.address} by ${id};`

/** Says what a fate lets it say, each piece marked with the question and the attempt. */
class SimulatedAnswer {
  readonly #call: Call
  readonly #fate: Extract<Fate, { pieces: number }>
  readonly #clock: Clock
  readonly #book: AttemptBook
  readonly #usage = Promise.withResolvers<Usage>()
  #said = 0
  #reading = false
  #closed = false
  #waiting: Batch | undefined

  constructor(call: Call, fate: Extract<Fate, { pieces: number }>, clock: Clock, book: AttemptBook) {
    this.#call = call
    this.#fate = fate
    this.#clock = clock
    this.#book = book
    this.#waiting = [this.#piece()]
    call.signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  get usage(): Promise<Usage> {
    return this.#usage.promise
  }

  async next(): Promise<IteratorResult<Batch>> {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting) return { done: false, value: waiting }
    if (this.#closed) return DONE
    this.#reading = true
    try {
      return { done: false, value: [await this.#event()] }
    } catch (thrown) {
      return {
        done: false,
        value: [this.#close('aborted', { type: 'error', error: toGatewayError(thrown) })],
      }
    } finally {
      this.#reading = false
    }
  }

  async return(): Promise<IteratorResult<Batch>> {
    this.#waiting = undefined
    if (!this.#closed) this.#close('left', { type: 'finish', reason: 'other' })
    return DONE
  }

  async #event(): Promise<ReplyEvent> {
    const { kind, paceMs, pieces } = this.#fate
    await sleep(this.#clock, paceMs, this.#call.signal)
    if (this.#said < pieces) return this.#piece()
    if (kind === 'answers') return this.#close('complete', { type: 'finish', reason: 'stop' })
    if (kind === 'cuts') return this.#close('failed', { type: 'error', error: new GatewayError('NETWORK') })
    await sleep(this.#clock, FOREVER_MS, this.#call.signal)
    throw new Error('nothing waits for ever')
  }

  #piece(): ReplyEvent {
    this.#said += 1
    return { type: 'text-delta', text: markOf(this.#call, this.#book) }
  }

  #close(how: AttemptEnding, last: ReplyEvent): ReplyEvent {
    if (this.#closed) return last
    this.#closed = true
    this.#call.signal.removeEventListener('abort', this.#onAbort)
    this.#usage.resolve({ inputTokens: 1, outputTokens: this.#said })
    this.#book.onOver(how, this.#said)
    return last
  }

  readonly #onAbort = (): void => {
    if (this.#reading || this.#closed) return
    const error = toGatewayError(this.#call.signal.reason)
    this.#waiting = [...(this.#waiting ?? []), this.#close('aborted', { type: 'error', error })]
  }
}

const whole = async (
  call: Call,
  fate: Extract<Fate, { pieces: number }>,
  clock: Clock,
  book: AttemptBook,
) => {
  await sleep(clock, fate.paceMs * fate.pieces, call.signal)
  if (fate.kind === 'stalls') await sleep(clock, FOREVER_MS, call.signal)
  if (fate.kind === 'cuts') throw new GatewayError('NETWORK')
  const text = markOf(call, book).repeat(fate.pieces)
  book.onContent()
  book.onOver('complete', fate.pieces)
  const batch: Batch = [
    { type: 'text-delta', text },
    { type: 'finish', reason: 'stop' },
  ]
  return {
    usage: Promise.resolve({ inputTokens: 1, outputTokens: fate.pieces }),
    events: (async function* () {
      yield batch
    })(),
  }
}

const failure = (fate: Fate): GatewayError | undefined => {
  if (fate.kind === 'fails') return new GatewayError('PROVIDER_ERROR')
  if (fate.kind === 'refuses-key') return new GatewayError('PROVIDER_ERROR', undefined, { retryable: false })
  if (fate.kind !== 'limits') return undefined
  return new GatewayError('PROVIDER_RATE_LIMIT', undefined, { retryAfterSeconds: fate.retryAfterSeconds })
}

/** A provider that keeps its contract, and whose attempts go as their fate says. */
export const simulatedProvider = ({ id, clock, fateOf, open }: ProviderParts): Provider => ({
  id,
  async ask(call, target): Promise<Reply> {
    const fate = fateOf(target)
    const book = open(call, target)
    const head = { id: book.id, target, cache: 'miss' as const }
    try {
      await sleep(clock, fate.kind === 'silent' ? FOREVER_MS : fate.afterMs, call.signal)
      const error = failure(fate)
      if (error || !('pieces' in fate)) throw error
      if (!call.stream) return { head, ...(await whole(call, fate, clock, book)) }
      book.onContent()
      const answer = new SimulatedAnswer(call, fate, clock, book)
      return { head, usage: answer.usage, events: { [Symbol.asyncIterator]: () => answer } }
    } catch (thrown) {
      book.onOver(call.signal.aborted ? 'aborted' : 'failed', 0)
      throw thrown
    }
  },
})
