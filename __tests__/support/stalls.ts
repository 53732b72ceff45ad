const PERIOD_MS = 5

/**
 * When this process could not run, because it was busy or the machine withheld the processor. What a test times from
 * here, through a process that is not this one, took that much less.
 */
export class Stalls {
  readonly #found: { from: number; to: number }[] = []
  readonly #timer: NodeJS.Timeout
  #dueAt = performance.now() + PERIOD_MS

  constructor() {
    this.#timer = setInterval(() => this.#look(), PERIOD_MS)
  }

  /** The time from one moment to another, in ms, without the stalls of this process meanwhile. */
  elapsedMs(from: number, to: number): number {
    this.#look()
    const stalledMs = this.#found.reduce(
      (sum, stall) => sum + Math.max(0, Math.min(to, stall.to) - Math.max(from, stall.from)),
      0,
    )
    return to - from - stalledMs
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const now = performance.now()
    if (now - this.#dueAt > PERIOD_MS) this.#found.push({ from: this.#dueAt, to: now })
    this.#dueAt = now + PERIOD_MS
  }
}
