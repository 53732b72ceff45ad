type SharedRun<T> = { readonly result: Promise<T>; readonly controller: AbortController; waiting: number }

/** Merges runs with the same key that take place at the same time. */
export class SharedRuns<T> {
  readonly #underWay = new Map<string, SharedRun<T>>()

  /**
   * The result of the run in progress, or of a new one. When the last of those who wait for it has left, it is aborted.
   *
   * @param signal of the one who waits; rejects with its reason
   */
  join(key: string, signal: AbortSignal, start: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const run = this.#underWay.get(key) ?? this.#started(key, start)
    run.waiting += 1
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        run.waiting -= 1
        if (run.waiting === 0) this.#abort(key, run, signal.reason)
        reject(signal.reason)
      }
      if (signal.aborted) return onAbort()
      signal.addEventListener('abort', onAbort, { once: true })
      run.result.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
    })
  }

  #started(key: string, start: (signal: AbortSignal) => Promise<T>): SharedRun<T> {
    const controller = new AbortController()
    const run: SharedRun<T> = { result: start(controller.signal), controller, waiting: 0 }
    this.#underWay.set(key, run)
    run.result.catch(() => {}).finally(() => this.#forget(key, run))
    return run
  }

  #abort(key: string, run: SharedRun<T>, reason: unknown): void {
    this.#forget(key, run)
    run.controller.abort(reason)
  }

  #forget(key: string, run: SharedRun<T>): void {
    if (this.#underWay.get(key) === run) this.#underWay.delete(key)
  }
}
