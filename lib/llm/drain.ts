import type { Clock, Timer } from '../clock.ts'
import { GatewayError, toGatewayError } from '../errors.ts'
import type { Call, EventGroup, Reply } from './types.ts'

type Step = IteratorResult<EventGroup>

export type DrainDeps = Readonly<{
  /** Whether that provider's answers are read to their end when their client has gone. */
  isOn: (provider: string) => boolean
  /** How long one is read on. */
  mostMs: number
  /** Registers work that a stopping gateway waits for; its signal aborts when that takes too long. */
  open: () => Readonly<{ signal: AbortSignal; close: () => void }>
  clock: Clock
}>

const DONE: Step = { done: true, value: undefined }

const isClientGone = (reason: unknown): boolean =>
  reason instanceof GatewayError && reason.code === 'CLIENT_GONE' && !reason.cancelsUpstream

/** Events for a client, which end for it when it has gone while their source is read to its end. */
class DrainedEvents implements AsyncIterable<EventGroup>, AsyncIterator<EventGroup> {
  readonly #source: AsyncIterator<EventGroup>
  readonly #onEnd: () => void
  #waiting: ((step: Step) => void) | undefined
  #gone: GatewayError | undefined
  #hasFailed = false
  #isOver = false

  constructor(events: Reply['events'], onEnd: () => void) {
    this.#source = events[Symbol.asyncIterator]()
    this.#onEnd = onEnd
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<Step> {
    if (this.#gone) return Promise.resolve(this.#failure())
    return new Promise((resolve, reject) => {
      this.#waiting = resolve
      this.#source.next().then(step => this.#take(step), reject)
    })
  }

  async return(): Promise<Step> {
    if (this.#gone) return DONE
    this.#end()
    await this.#source.return?.()
    return DONE
  }

  /** The client has gone: its reader gets the reason, and the source is read on. */
  leave(reason: GatewayError): void {
    if (this.#gone || this.#isOver) return
    this.#gone = reason
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.(this.#failure())
    if (!waiting) void this.#drain()
  }

  #take(step: Step): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (step.done) this.#end()
    if (waiting) waiting(step)
    else if (this.#gone && !step.done) void this.#drain()
  }

  async #drain(): Promise<void> {
    while (!(await this.#source.next()).done);
    this.#end()
  }

  #failure(): Step {
    if (this.#hasFailed || this.#isOver || !this.#gone) return DONE
    this.#hasFailed = true
    const error = this.#gone
    return { done: false, value: [{ type: 'error', error }] }
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#onEnd()
  }
}

/**
 * Asks with a signal that outlives the client: when that has gone, the upstream's answer is read to its end, so that its
 * usage is known and not estimated. Any other abort, such as a timeout, ends it at once.
 */
export const drained = (
  call: Call,
  ask: (call: Call) => Promise<Reply>,
  { mostMs, open, clock }: DrainDeps,
): Promise<Reply> => {
  const upstream = new AbortController()
  let work: ReturnType<typeof open> | undefined
  let events: DrainedEvents | undefined
  let timer: Timer | undefined
  const { promise, resolve, reject } = Promise.withResolvers<Reply>()
  const end = (): void => {
    timer?.cancel()
    call.signal.removeEventListener('abort', onAbort)
    work?.close()
  }
  const onAbort = (): void => {
    const { reason } = call.signal
    if (!isClientGone(reason)) {
      upstream.abort(reason)
      return
    }
    work = open()
    work.signal.addEventListener('abort', () => upstream.abort(work?.signal.reason), { once: true })
    timer = clock.timer(mostMs, () => upstream.abort(reason))
    if (events) events.leave(toGatewayError(reason))
    else reject(reason)
  }
  if (call.signal.aborted) onAbort()
  else call.signal.addEventListener('abort', onAbort, { once: true })
  ask({ ...call, signal: upstream.signal }).then(
    reply => {
      events = new DrainedEvents(reply.events, end)
      if (isClientGone(call.signal.reason)) events.leave(toGatewayError(call.signal.reason))
      resolve({ ...reply, events })
    },
    error => {
      end()
      reject(error)
    },
  )
  return promise
}
