import { LRUCache } from 'lru-cache'

const FIRST_COOLDOWN_MS = 1_000
const LONGEST_COOLDOWN_MS = 30_000
const MOST_JOBS = 1_000

type Failures = { count: number; coolsUntil: number }

/**
 * Jobs that a worker skips for a while: those whose items were all refused lately, because no target was available. Its
 * slots go to other jobs meanwhile, and it does not claim item after item only to put each back. The cooldowns grow
 * from one second to thirty, until an item of the job is answered or fails.
 */
export class JobCooldowns {
  readonly #failedInARow: number
  readonly #failures = new LRUCache<string, Failures>({ max: MOST_JOBS })

  /** @param failedInARow how many refusals start a cooldown */
  constructor(failedInARow: number) {
    this.#failedInARow = failedInARow
  }

  failed(jobId: string, now: number): void {
    const failures = this.#failures.get(jobId) ?? { count: 0, coolsUntil: 0 }
    failures.count += 1
    const cooldowns = Math.floor(failures.count / this.#failedInARow)
    if (failures.count % this.#failedInARow === 0)
      failures.coolsUntil = now + Math.min(LONGEST_COOLDOWN_MS, FIRST_COOLDOWN_MS * 2 ** (cooldowns - 1))
    this.#failures.set(jobId, failures)
  }

  /** Its items are answered again. */
  end(jobId: string): void {
    this.#failures.delete(jobId)
  }

  active(now: number): readonly string[] {
    return [...this.#failures.entries()].filter(([, { coolsUntil }]) => coolsUntil > now).map(([id]) => id)
  }

  /** When the first of the current cooldowns ends. */
  nextEnd(now: number): number | undefined {
    const ends = [...this.#failures.values()].map(({ coolsUntil }) => coolsUntil).filter(end => end > now)
    return ends.length === 0 ? undefined : Math.min(...ends)
  }
}
