/** Decides when a closed circuit opens. `forget` clears its state. */
export interface TripCondition {
  /**
   * A stream's first content has arrived.
   *
   * @returns why to open, if the condition is met.
   */
  began?(now: number, firstContentMs: number): string | undefined
  succeeded(now: number): void
  /** @returns why to open, if the condition is met. */
  failed(now: number): string | undefined
  forget(): void
}

/** Opens after a number of consecutive failures: for an upstream that is down. */
export const consecutive = (failures: number | (() => number)): TripCondition => {
  const most = typeof failures === 'number' ? () => failures : failures
  let inARow = 0
  return {
    succeeded() {
      inARow = 0
    },
    failed() {
      inARow += 1
      return inARow >= most() ? `${inARow} failures in a row` : undefined
    },
    forget() {
      inARow = 0
    },
  }
}

export type Sampling = Readonly<{
  /** From 0 to 1. */
  failingShare: number
  /** Fewer calls than this in the window are no evidence. */
  leastCalls: number
  windowMs: number
}>

const SLICES = 10

type Slice = { startsAt: number; calls: number; bad: number }

/** Counts recent calls, and the bad ones among them. */
class RecentCalls {
  readonly #sampling: Sampling
  #slices: Slice[] = []

  constructor(sampling: Sampling) {
    this.#sampling = sampling
  }

  count(now: number, isBad: boolean): void {
    const { windowMs } = this.#sampling
    const oldest = this.#slices[0]
    if (oldest && oldest.startsAt <= now - windowMs)
      this.#slices = this.#slices.filter(({ startsAt }) => startsAt > now - windowMs)
    const newest = this.#slices.at(-1)
    if (newest && now < newest.startsAt + windowMs / SLICES) {
      newest.calls += 1
      if (isBad) newest.bad += 1
    } else this.#slices.push({ startsAt: now, calls: 1, bad: isBad ? 1 : 0 })
  }

  /** The bad share as text, if it is too large among enough calls. */
  tooMany(): string | undefined {
    const { failingShare, leastCalls } = this.#sampling
    let [calls, bad] = [0, 0]
    for (const slice of this.#slices) {
      calls += slice.calls
      bad += slice.bad
    }
    return calls < leastCalls || bad < calls * failingShare ? undefined : `${bad} of ${calls} calls`
  }

  forget(): void {
    this.#slices = []
  }
}

/** Opens when too large a share of the recent calls failed: for an upstream that fails partially. */
export const sampling = (options: Sampling): TripCondition => {
  const recent = new RecentCalls(options)
  return {
    succeeded(now) {
      recent.count(now, false)
    },
    failed(now) {
      recent.count(now, true)
      const share = recent.tooMany()
      return share && `${share} failed`
    },
    forget: () => recent.forget(),
  }
}

/**
 * Opens when too large a share of the recent streams took longer than `slowMs` to their first content: for an upstream
 * that answers too late to be useful. The latency of a whole answer depends on its length, so only streams count.
 */
export const slowness = (slow: number | (() => number), options: Sampling): TripCondition => {
  const limitMs = typeof slow === 'number' ? () => slow : slow
  const recent = new RecentCalls(options)
  return {
    began(now, firstContentMs) {
      const slowMs = limitMs()
      if (slowMs === Number.POSITIVE_INFINITY) return undefined
      const isSlow = firstContentMs > slowMs
      recent.count(now, isSlow)
      const share = isSlow ? recent.tooMany() : undefined
      return share && `${share} took more than ${slowMs / 1000} s to begin`
    },
    succeeded() {},
    failed: () => undefined,
    forget: () => recent.forget(),
  }
}

/** Opens as soon as one of them is met. */
export const anyOf = (...conditions: readonly TripCondition[]): TripCondition => ({
  began(now, firstContentMs) {
    return conditions
      .map(condition => condition.began?.(now, firstContentMs))
      .find(reason => reason !== undefined)
  },
  succeeded(now) {
    for (const condition of conditions) condition.succeeded(now)
  },
  failed(now) {
    return conditions.map(condition => condition.failed(now)).find(reason => reason !== undefined)
  },
  forget() {
    for (const condition of conditions) condition.forget()
  },
})
