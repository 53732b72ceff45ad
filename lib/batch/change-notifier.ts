/** Tells those who watch a job, or all of an owner's, that something has changed in this process. */
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

  /** Calls `wake` once, at the next news of a subject. Returns what takes that back. */
  once(subject: string, wake: () => void): () => void {
    const waiting = this.#waiting.get(subject) ?? new Set()
    this.#waiting.set(subject, waiting.add(wake))
    return () => {
      waiting.delete(wake)
      if (waiting.size === 0 && this.#waiting.get(subject) === waiting) this.#waiting.delete(subject)
    }
  }
}
