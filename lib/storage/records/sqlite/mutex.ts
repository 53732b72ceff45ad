/** Lets one in at a time, in the order in which they came. */
export class Mutex {
  readonly #waiting: (() => void)[] = []
  #isLocked = false

  async lock(): Promise<void> {
    if (this.#isLocked) await new Promise<void>(resolve => this.#waiting.push(resolve))
    this.#isLocked = true
  }

  unlock(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#isLocked = false
  }

  /** Does something while nobody else is in. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.lock()
    try {
      return await work()
    } finally {
      this.unlock()
    }
  }
}
