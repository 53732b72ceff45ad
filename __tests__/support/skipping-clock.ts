import type { Clock } from '#lib/clock.ts'
import { systemClock } from '#lib/clock.ts'

/** The system's clock, which a test may set forward; its timers run as usual. */
export class SkippingClock implements Clock {
  #skippedMs = 0

  now(): number {
    return systemClock.now() + this.#skippedMs
  }

  timer(delayMs: number, task: () => void) {
    return systemClock.timer(delayMs, task)
  }

  skip(ms: number): void {
    this.#skippedMs += ms
  }
}
