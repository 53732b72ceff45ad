import type { Clock, Timer } from '../clock.ts'

/**
 * A signal of its own below another one, that can also run out of time. The limit can be set anew as often as
 * there is progress; whoever is done disposes of it, and no timer or listener stays.
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

  /** Stops the time until the next `arm`. */
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
