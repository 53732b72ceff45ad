/**
 * Signals to workers that there is work. It is only a signal: the work itself is in the database, which every worker polls
 * every few seconds, so that a lost signal costs seconds and no item.
 */
export interface WorkSignal {
  /** Signals as many workers as there may be work for. Never fails, and is not awaited. */
  notify(items: number): void
  /**
   * Subscribes a worker. `drain` is called for each signal, and resolves when there is no work left; it is not called
   * again before that.
   */
  onWork(drain: () => Promise<void>): void
  close(): Promise<void>
}

/** A work signal within this process. */
export const localWorkSignal = (): WorkSignal => {
  const subscribers = new Set<() => void>()
  return {
    notify: () => {
      for (const subscribe of subscribers) subscribe()
    },
    onWork: drain => {
      subscribers.add(() => void drain())
    },
    close: async () => subscribers.clear(),
  }
}
