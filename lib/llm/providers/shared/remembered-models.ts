import { LRUCache } from 'lru-cache'
import type { Clock } from '../../../clock.ts'

const MAX_MODELS = 1_000
const FORGET_AFTER_MS = 3_600_000

/** A fact about each of a provider's models, for an hour; beyond 1,000 models, the least recently used are forgotten. */
export class RememberedModels<T> {
  readonly #clock: Clock
  readonly #byModel = new LRUCache<string, Readonly<{ fact: T; until: number }>>({ max: MAX_MODELS })

  constructor(clock: Clock) {
    this.#clock = clock
  }

  of(model: string): T | undefined {
    const known = this.#byModel.get(model)
    return known && known.until > this.#clock.now() ? known.fact : undefined
  }

  add(model: string, fact: T): void {
    this.#byModel.set(model, { fact, until: this.#clock.now() + FORGET_AFTER_MS })
  }
}
