/** In sum slightly less than the gateway's grace period for an answer without a reader. */
const PAUSES_MS = [250, 500, 1_000, 2_000, 4_000, 6_000]

/** The number of failed reconnects, and the wait before each one. */
export class ReconnectBackoff {
  readonly #random: () => number
  readonly #pausesMs: readonly number[]
  #tries = 0

  /** @param random from 0 to 1; spreads clients that lost their connection at the same moment */
  constructor(random: () => number = Math.random, pausesMs: readonly number[] = PAUSES_MS) {
    this.#random = random
    this.#pausesMs = pausesMs
  }

  /** Milliseconds until the next attempt; `undefined` when there is none left. */
  next(): number | undefined {
    const longest = this.#pausesMs[this.#tries]
    this.#tries += 1
    return longest === undefined ? undefined : longest * (1 - this.#random() / 4)
  }

  /** Resets after data has arrived. */
  renew(): void {
    this.#tries = 0
  }
}
