import type { Clock, Timer } from '../clock.ts'

/**
 * A signal derived from another one, with a time limit. The limit can be reset whenever there is progress; disposing of
 * it removes its timer and listener.
 */
export class Deadline {
  readonly #controller = new AbortController()
  readonly #parent: AbortSignal
  readonly #clock: Clock
  #timer: Timer | undefined

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
    this.#timer = this.#clock.timer(Math.max(0, limitMs), () => this.#controller.abort(reason()))
  }

  /** Stops the timer until the next `arm`. */
  disarm(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  dispose(): void {
    this.disarm()
    this.#parent.removeEventListener('abort', this.#onParentAbort)
  }

  readonly #onParentAbort = (): void => {
    this.disarm()
    this.#controller.abort(this.#parent.reason)
  }
}
