import type { Target } from '../llm/types.ts'

/** How many calls through an alias are in progress at each target. */
export class Busy {
  readonly #calls = new Map<string, number>()

  /** How many targets have calls in progress: those without are not stored. */
  get size(): number {
    return this.#calls.size
  }

  of({ name }: Target): number {
    return this.#calls.get(name) ?? 0
  }

  /** @returns a function that ends it; a second call has no effect. */
  begin({ name }: Target): () => void {
    this.#calls.set(name, (this.#calls.get(name) ?? 0) + 1)
    let under = true
    return () => {
      if (!under) return
      under = false
      const left = (this.#calls.get(name) ?? 1) - 1
      if (left > 0) this.#calls.set(name, left)
      else this.#calls.delete(name)
    }
  }
}
