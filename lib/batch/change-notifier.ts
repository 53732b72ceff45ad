/** Notifies the observers of a job, or of all jobs of an owner, of changes made in this process. */
export class ChangeNotifier {
  readonly #waiting = new Map<string, Set<() => void>>()

  /** @param subjects a job's id, its owner */
  notify(...subjects: readonly string[]): void {
    for (const subject of subjects) {
      const waiting = this.#waiting.get(subject)
      this.#waiting.delete(subject)
      for (const wake of waiting ?? []) wake()
    }
  }

  /** Calls `wake` once, at the next change of a subject. Returns a function that cancels it. */
  once(subject: string, wake: () => void): () => void {
    const waiting = this.#waiting.get(subject) ?? new Set()
    this.#waiting.set(subject, waiting.add(wake))
    return () => {
      waiting.delete(wake)
      if (waiting.size === 0 && this.#waiting.get(subject) === waiting) this.#waiting.delete(subject)
    }
  }
}
