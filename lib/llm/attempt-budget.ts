import type { Attempt } from '../request-context.ts'

const MOST_ATTEMPTS = 4

/**
 * The attempts of a call, made and remaining, over all its targets: created with the call, and shared by every copy of
 * it. Four attempts, of which one may be a hedge.
 */
export class AttemptBudget {
  readonly #made: Attempt[] = []
  #remaining = MOST_ATTEMPTS
  #hedged = false

  /** Attempts that are neither made nor reserved. */
  get remaining(): number {
    return this.#remaining
  }

  /** Every attempt that reached a provider, in order. */
  get made(): readonly Attempt[] {
    return this.#made
  }

  /** Whether one of the attempts was a hedge. */
  get hedged(): boolean {
    return this.#hedged
  }

  /**
   * Reserves an attempt that is about to be made; false where none is left.
   * @param leaving how many must be left for the later targets
   */
  take(leaving = 0): boolean {
    if (this.#remaining <= leaving) return false
    this.#remaining -= 1
    return true
  }

  /** Reserves an attempt beside one in progress: once for each call. */
  takeHedge(leaving: number): boolean {
    if (this.#hedged || !this.take(leaving)) return false
    this.#hedged = true
    return true
  }

  /** Records an attempt that is being sent to a provider. */
  begin(attempt: Attempt): void {
    this.#made.push(attempt)
  }

  /** Releases reservations that did not become attempts. To be called while none is in progress. */
  release(): void {
    this.#remaining = Math.max(0, MOST_ATTEMPTS - this.#made.length)
  }
}
