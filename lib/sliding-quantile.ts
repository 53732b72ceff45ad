export type SlidingQuantileOptions = Readonly<{
  /** From 0 to 1: 0.95 is the 95th percentile. */
  share: number
  /** How many of the last values count. */
  most: number
  /** How many values there must have been. */
  least: number
}>

/** New values after which it is computed again. */
const COMPUTED_EVERY = 10

/** A quantile of the last values. It is computed again after ten values, and after each above it. */
export class SlidingQuantile {
  readonly #options: SlidingQuantileOptions
  readonly #last: number[] = []
  #added = 0
  #quantile: number | undefined

  constructor(options: SlidingQuantileOptions) {
    this.#options = options
  }

  add(value: number): void {
    const { most, least } = this.#options
    this.#last[this.#added % most] = value
    this.#added += 1
    if (this.#added < least) return
    const isOutgrown = this.#quantile === undefined || value > this.#quantile
    if (isOutgrown || this.#added % COMPUTED_EVERY === 0) this.#compute()
  }

  /** Undefined while there are too few values. */
  get value(): number | undefined {
    return this.#quantile
  }

  #compute(): void {
    const sorted = this.#last.toSorted((a, b) => a - b)
    this.#quantile = sorted[Math.ceil(sorted.length * this.#options.share) - 1]
  }
}
