import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import type { Target } from '../llm/types.ts'

/** How many calls through an alias are in progress at each target. */
export class Busy {
  readonly #calls = new Map<string, number>()

  /** How many targets have calls in progress: those without are not stored. */
  get size(): number {
    return this.#calls.size
  }

  of({ name }: Target): number {
    return this.#calls.get(name) ?? 0
  }

  /** @returns a function that ends it; a second call has no effect. */
  begin({ name }: Target): () => void {
    this.#calls.set(name, (this.#calls.get(name) ?? 0) + 1)
    let under = true
    return () => {
      if (!under) return
      under = false
      const left = (this.#calls.get(name) ?? 1) - 1
      if (left > 0) this.#calls.set(name, left)
      else this.#calls.delete(name)
    }
  }
}

const WEIGHT_OF_NEWEST = 0.2
const FORGOTTEN_AFTER_MS = 300_000
/** The latency that a failure counts as: slower than any useful answer. */
const FAILURE_MS = 60_000
/** Clients choose names freely (`provider/anything`): beyond this many the least recently used is forgotten. */
const MOST_TARGETS = 1_000

/**
 * The exponentially weighted mean time to first content by target. A mean older than five minutes is ignored, so that a
 * target that was once slow or failing is tried again.
 */
export class LatencyEwma {
  readonly #clock: Clock
  readonly #means = new LRUCache<string, { meanMs: number; at: number }>({ max: MOST_TARGETS })

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How many targets are stored. */
  get size(): number {
    return this.#means.size
  }

  /** The mean in milliseconds; undefined for a target without one. */
  of({ name }: Target): number | undefined {
    const mean = this.#means.get(name)
    if (!mean || this.#clock.now() - mean.at > FORGOTTEN_AFTER_MS) return undefined
    return mean.meanMs
  }

  record(target: Target, firstContentMs: number): void {
    const before = this.of(target)
    const meanMs =
      before === undefined ? firstContentMs : before + WEIGHT_OF_NEWEST * (firstContentMs - before)
    this.#means.set(target.name, { meanMs, at: this.#clock.now() })
  }

  failed(target: Target): void {
    this.record(target, FAILURE_MS)
  }
}

/** Observations of targets so far. */
export type TargetStats = Readonly<{ latency: LatencyEwma; busy: Busy }>
