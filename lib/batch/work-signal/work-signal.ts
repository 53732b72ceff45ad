/**
 * How workers learn that there is something to do. It only calls: what there is to do stands in the records, and a
 * worker looks there by itself every few seconds, so that a call that is lost costs seconds and no item.
 */
export interface WorkSignal {
  /** Calls as many workers as there may be work for. Never fails, and nobody waits for it. */
  notify(items: number): void
  /**
   * Lets a worker be called. `drain` is called for each call, and resolves when there is nothing left to do; one
   * that has not resolved is not called again.
   */
  onWork(drain: () => Promise<void>): void
  close(): Promise<void>
}
