import type { Clock, Timer } from '#lib/clock.ts'

type Pending = { at: number; task: () => void }

/** A clock that stands still until told to go on. */
export class FakeClock implements Clock {
  #now: number
  readonly #pending = new Set<Pending>()

  constructor(now = 1_800_000_000_000) {
    this.#now = now
  }

  /** Timers that have been set and neither fired nor been cancelled. */
  get pending(): number {
    return this.#pending.size
  }

  now(): number {
    return this.#now
  }

  timer(delayMs: number, task: () => void): Timer {
    const pending: Pending = { at: this.#now + delayMs, task }
    this.#pending.add(pending)
    return {
      refresh: () => {
        pending.at = this.#now + delayMs
        this.#pending.add(pending)
      },
      cancel: () => void this.#pending.delete(pending),
    }
  }

  /** Lets time pass, firing what falls due in order, and lets promises settle in between. */
  async advance(milliseconds: number): Promise<void> {
    const until = this.#now + milliseconds
    await settle()
    for (let due = this.#next(until); due; due = this.#next(until)) {
      this.#pending.delete(due)
      this.#now = due.at
      due.task()
      await settle()
    }
    this.#now = until
    await settle()
  }

  #next(until: number): Pending | undefined {
    let first: Pending | undefined
    for (const pending of this.#pending)
      if (pending.at <= until && (first === undefined || pending.at < first.at)) first = pending
    return first
  }
}

const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
