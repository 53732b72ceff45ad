import { GatewayError } from '../../errors.ts'

/** Runs at most so many pieces of work at once; others wait in order of arrival. */
export class Gate {
  readonly #atOnce: number
  readonly #mostWaiting: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor({ atOnce, mostWaiting }: Readonly<{ atOnce: number; mostWaiting: number }>) {
    this.#atOnce = atOnce
    this.#mostWaiting = mostWaiting
  }

  /** Rejects with STORE_UNAVAILABLE where too many wait already. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#atOnce) this.#running += 1
    else {
      if (this.#waiting.length >= this.#mostWaiting) throw new GatewayError('STORE_UNAVAILABLE')
      // The place is handed over by the one that ends.
      await new Promise<void>(resolve => this.#waiting.push(resolve))
    }
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running -= 1
    }
  }
}
