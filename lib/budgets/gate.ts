import type { Clock, Timer } from '../clock.ts'
import { GatewayError } from '../errors.ts'

type Waiting = Readonly<{ start: () => void; timer: Timer }>

export type GateDeps = Readonly<{
  /** Operations at a time. */
  most: number
  /** How long one may wait for its turn. */
  waitMs: number
  clock: Clock
}>

/**
 * Lets few database operations run at a time: transactions on the same counters wait for each other anyway, and would
 * occupy every connection meanwhile.
 */
export class Gate {
  readonly #deps: GateDeps
  readonly #waiting = new Set<Waiting>()
  #running = 0

  constructor(deps: GateDeps) {
    this.#deps = deps
  }

  /** Runs an operation at its turn. Rejects with STORE_UNAVAILABLE where that does not come in time. */
  async run<T>(operation: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#deps.most) await this.#turn()
    else this.#running += 1
    try {
      return await operation()
    } finally {
      const [first] = this.#waiting
      // Its slot goes straight to the first in line.
      if (first) first.start()
      else this.#running -= 1
    }
  }

  #turn(): Promise<void> {
    const { clock, waitMs } = this.#deps
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        start: () => {
          waiting.timer.cancel()
          this.#waiting.delete(waiting)
          resolve()
        },
        timer: clock.timer(waitMs, () => {
          this.#waiting.delete(waiting)
          reject(new GatewayError('STORE_UNAVAILABLE', undefined, { retryAfterSeconds: 1 }))
        }),
      }
      this.#waiting.add(waiting)
    })
  }
}
