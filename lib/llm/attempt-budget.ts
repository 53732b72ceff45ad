import type { Attempt } from '../request-context.ts'

const MOST_ATTEMPTS = 4

/**
 * What a call may still ask of its targets, all of them together, and what it has asked: made where the call is born,
 * and shared by every copy of it. Four attempts, of which one may be a hedge.
 */
export class AttemptBudget {
  readonly #made: Attempt[] = []
  #remaining = MOST_ATTEMPTS
  #hedged = false

  /** Attempts that are neither made nor taken. */
  get remaining(): number {
    return this.#remaining
  }

  /** Every attempt that came to a provider, in order. */
  get made(): readonly Attempt[] {
    return this.#made
  }

  /** Whether one of the attempts was a hedge. */
  get hedged(): boolean {
    return this.#hedged
  }

  /**
   * Takes an attempt that is about to be made; false where there is none.
   * @param leaving so many must be left for the targets that wait behind
   */
  take(leaving = 0): boolean {
    if (this.#remaining <= leaving) return false
    this.#remaining -= 1
    return true
  }

  /** Takes an attempt beside one that is under way: once a call. */
  takeHedge(leaving: number): boolean {
    if (this.#hedged || !this.take(leaving)) return false
    this.#hedged = true
    return true
  }

  /** Keeps an attempt that a provider is now asked for. */
  begin(attempt: Attempt): void {
    this.#made.push(attempt)
  }

  /** Gives back what was taken and came to no attempt. To be called while none is under way. */
  release(): void {
    this.#remaining = Math.max(0, MOST_ATTEMPTS - this.#made.length)
  }
}
