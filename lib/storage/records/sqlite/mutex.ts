/** Mutual exclusion in order of arrival. */
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

  /** Runs a function while holding the lock. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.lock()
    try {
      return await work()
    } finally {
      this.unlock()
    }
  }
}
