/** Limits how many answers an upstream gives: beyond the limit it waits until the test raises it. */
export class Allowance {
  #left = 0
  readonly #waiting: (() => void)[] = []
  #usedUp = Promise.withResolvers<void>()

  allow(count: number): void {
    this.#left += count
    for (; this.#left > 0 && this.#waiting.length > 0; this.#left -= 1) this.#waiting.shift()?.()
    this.#usedUp = Promise.withResolvers()
    if (this.#waiting.length > 0) this.#usedUp.resolve()
  }

  /** Resolves once an answer may be given. */
  take(): Promise<void> {
    if (this.#left > 0) {
      this.#left -= 1
      return Promise.resolve()
    }
    this.#usedUp.resolve()
    return new Promise(resolve => this.#waiting.push(resolve))
  }

  /** Resolves once an answer waits. */
  usedUp(): Promise<void> {
    return this.#usedUp.promise
  }
}
