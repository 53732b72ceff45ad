const FULL = 10
const EARNED_BY_SUCCESS = 0.1

/**
 * The budget of retries: each costs one, each success adds a tenth. So retries stay near a tenth of the traffic when a
 * whole upstream is failing and they would only add load. Source: gRPC, "Retry Design".
 */
export class RetryBudget {
  #left = FULL

  earn(): void {
    this.#left = Math.min(FULL, this.#left + EARNED_BY_SUCCESS)
  }

  /** Spends one retry; false where the budget is exhausted. */
  spend(): boolean {
    if (this.#left < 1) return false
    this.#left -= 1
    return true
  }
}
