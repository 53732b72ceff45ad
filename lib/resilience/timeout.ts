import type { Clock, Timer } from '../clock.ts'
import type { Policy } from '../compose.ts'
import { GatewayError, type WaitedFor } from '../errors.ts'
import { tap } from '../llm/events.ts'
import { isMedia } from '../llm/passthrough.ts'
import type { Call, Reply } from '../llm/types.ts'

/**
 * A signal derived from another one, with a limit that can be reset whenever there is progress, and one for all of it
 * together; disposing of it removes its timers and listener.
 */
class Deadline {
  readonly #controller = new AbortController()
  readonly #parent: AbortSignal
  readonly #clock: Clock
  #timer: Timer | undefined
  #totalTimer: Timer | undefined

  constructor(parent: AbortSignal, clock: Clock) {
    this.#parent = parent
    this.#clock = clock
    if (parent.aborted) this.#onParentAbort()
    else parent.addEventListener('abort', this.#onParentAbort, { once: true })
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** From now on, `limitMs` until the signal aborts with `reason()`. Replaces an earlier limit. */
  arm(limitMs: number, reason: () => Error): void {
    this.disarm()
    this.#timer = this.#timerOf(limitMs, reason)
  }

  /** Stops the timer until the next `arm`. */
  disarm(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  /** Besides what is armed, `limitMs` until the signal aborts with `reason()`, which `disarm` does not stop. */
  armTotal(limitMs: number, reason: () => Error): void {
    this.#totalTimer = this.#timerOf(limitMs, reason)
  }

  dispose(): void {
    this.#stop()
    this.#parent.removeEventListener('abort', this.#onParentAbort)
  }

  readonly #onParentAbort = (): void => this.#abort(this.#parent.reason)

  #timerOf(limitMs: number, reason: () => Error): Timer {
    return this.#clock.timer(Math.max(0, limitMs), () => this.#abort(reason()))
  }

  #abort(reason: unknown): void {
    this.#stop()
    this.#controller.abort(reason)
  }

  #stop(): void {
    this.disarm()
    this.#totalTimer?.cancel()
    this.#totalTimer = undefined
  }
}

export type Timeouts = Readonly<{
  /** The first content of a stream, for each attempt, besides the call's deadline. */
  firstContentMs: number
  /** Each silence between two pieces of a stream. Time in which the client is slow to read does not count. */
  idleMs: number
  /** A whole stream, however active, and however slowly the client reads it. */
  streamMs: number
}>

const tooLate = (waitedFor: Exclude<WaitedFor, 'connection'>, limitMs: number) => () => {
  const seconds = `${Math.round(limitMs) / 1000} s`
  const messages = {
    'first content': `The model didn't start answering within ${seconds}.`,
    'more of the stream': `The model went silent for ${seconds}.`,
    'whole answer': `The answer wasn't finished within ${seconds}.`,
  }
  return new GatewayError('TIMEOUT', messages[waitedFor], { waitedFor })
}

const isMediaCall = ({ passthrough }: Call): boolean =>
  passthrough !== undefined && isMedia(passthrough.endpoint)

/** Bounds how long an attempt may take; at a timeout the upstream call is aborted with TIMEOUT. */
export const timeout = ({ firstContentMs, idleMs, streamMs }: Timeouts, clock: Clock): Policy<Call, Reply> =>
  async function timeout(call, next) {
    const deadline = new Deadline(call.signal, clock)
    const armForMore = () => deadline.arm(idleMs, tooLate('more of the stream', idleMs))
    const leftMs = call.deadlineAt - clock.now()
    if (call.stream) {
      // Images and audio have a deadline of their own.
      const limitMs = isMediaCall(call) ? leftMs : Math.min(leftMs, firstContentMs)
      deadline.arm(limitMs, tooLate('first content', limitMs))
    } else deadline.arm(leftMs, tooLate('whole answer', leftMs))
    try {
      const reply = await next({ ...call, signal: deadline.signal })
      if (call.stream) {
        deadline.disarm()
        deadline.armTotal(call.startedAt + streamMs - clock.now(), tooLate('whole answer', streamMs))
      }
      return tap(reply, {
        ...(call.stream && { onPull: armForMore, onEvents: () => deadline.disarm() }),
        onEnd: () => deadline.dispose(),
      })
    } catch (error) {
      deadline.dispose()
      throw error
    }
  }
