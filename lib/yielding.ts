import type { Clock } from './clock.ts'

const SLICE_MS = 8

const turnOfTheLoop = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/**
 * Divides long work into slices of time, 8 ms by default, so that the event loop turns between them. Awaited promises
 * alone do not let it turn.
 *
 * @example for (const one of many) { work(one); if (slices.isOver()) await slices.next() }
 */
export class Slices {
  readonly #clock: Clock
  readonly #sliceMs: number
  #begun: number

  constructor(clock: Clock, sliceMs = SLICE_MS) {
    this.#clock = clock
    this.#sliceMs = sliceMs
    this.#begun = clock.now()
  }

  isOver(): boolean {
    return this.#clock.now() - this.#begun >= this.#sliceMs
  }

  /** Lets the event loop turn, and begins the next slice. */
  async next(): Promise<void> {
    await turnOfTheLoop()
    this.#begun = this.#clock.now()
  }
}
