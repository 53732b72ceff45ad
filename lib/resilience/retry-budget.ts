const FULL = 10
const EARNED_BY_SUCCESS = 0.1

/**
 * What may be spent on retries: each costs one, each success earns a tenth. So retries stay near a tenth of the
 * traffic when a whole upstream is failing, where they would only add to its load. Source: gRPC, "Retry Design".
 */
export class RetryBudget {
  #left = FULL

  earn(): void {
    this.#left = Math.min(FULL, this.#left + EARNED_BY_SUCCESS)
  }

  /** Whether there was enough for one retry, which is then spent. */
  spend(): boolean {
    if (this.#left < 1) return false
    this.#left -= 1
    return true
  }
}
