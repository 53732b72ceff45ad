import { LRUCache } from 'lru-cache'

const FIRST_REST_MS = 1_000
const LONGEST_REST_MS = 30_000
const MOST_JOBS = 1_000

type Refusals = { count: number; restsUntil: number }

/**
 * Which jobs a worker leaves alone for a while: those whose items were all refused lately, since nobody could be
 * asked for them. The worker has its slots for other jobs then, and does not take up item after item only to put it
 * back. The rests grow from one second to thirty, until an item of the job is answered or fails.
 */
export class Rests {
  readonly #refusedInARow: number
  readonly #refusals = new LRUCache<string, Refusals>({ max: MOST_JOBS })

  /** @param refusedInARow how many refusals make a rest */
  constructor(refusedInARow: number) {
    this.#refusedInARow = refusedInARow
  }

  refused(jobId: string, now: number): void {
    const refusals = this.#refusals.get(jobId) ?? { count: 0, restsUntil: 0 }
    refusals.count += 1
    const rests = Math.floor(refusals.count / this.#refusedInARow)
    if (refusals.count % this.#refusedInARow === 0)
      refusals.restsUntil = now + Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** (rests - 1))
    this.#refusals.set(jobId, refusals)
  }

  /** Its items come through. */
  end(jobId: string): void {
    this.#refusals.delete(jobId)
  }

  resting(now: number): readonly string[] {
    return [...this.#refusals.entries()].filter(([, { restsUntil }]) => restsUntil > now).map(([id]) => id)
  }

  /** When the first of the rests ends that go on. */
  nextEnd(now: number): number | undefined {
    const ends = [...this.#refusals.values()].map(({ restsUntil }) => restsUntil).filter(end => end > now)
    return ends.length === 0 ? undefined : Math.min(...ends)
  }
}
