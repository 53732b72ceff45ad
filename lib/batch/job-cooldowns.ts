import { LRUCache } from 'lru-cache'

const FIRST_COOLDOWN_MS = 1_000
const LONGEST_COOLDOWN_MS = 30_000
const MOST_JOBS = 1_000

type Failures = { count: number; coolsUntil: number }

/**
 * Which jobs a worker leaves alone for a while: those whose items were all refused lately, since nobody could be
 * asked for them. The worker has its slots for other jobs then, and does not take up item after item only to put it
 * back. The rests grow from one second to thirty, until an item of the job is answered or fails.
 */
export class JobCooldowns {
  readonly #failedInARow: number
  readonly #failures = new LRUCache<string, Failures>({ max: MOST_JOBS })

  /** @param failedInARow how many refusals make a rest */
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

  /** Its items come through. */
  end(jobId: string): void {
    this.#failures.delete(jobId)
  }

  cooling(now: number): readonly string[] {
    return [...this.#failures.entries()].filter(([, { coolsUntil }]) => coolsUntil > now).map(([id]) => id)
  }

  /** When the first of the rests ends that go on. */
  nextEnd(now: number): number | undefined {
    const ends = [...this.#failures.values()].map(({ coolsUntil }) => coolsUntil).filter(end => end > now)
    return ends.length === 0 ? undefined : Math.min(...ends)
  }
}
