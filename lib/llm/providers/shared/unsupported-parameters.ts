import { LRUCache } from 'lru-cache'
import type { Clock } from '../../../clock.ts'
import type { UnsupportedParameter } from './parameter-errors.ts'

/** Request parameters that a model is known not to take. */
export type Unsupported = ReadonlySet<UnsupportedParameter>

const MAX_MODELS = 1_000
const FORGET_AFTER_MS = 3_600_000
const NONE: Unsupported = new Set()

/**
 * What the models of one provider have refused. An hour after the last lesson all of a model's are forgotten, so that
 * one that has learned to take a parameter gets it again; of more than 1,000 models the least recently used is.
 */
export class UnsupportedParameters {
  readonly #clock: Clock
  readonly #byModel = new LRUCache<string, Readonly<{ unsupported: Unsupported; until: number }>>({
    max: MAX_MODELS,
  })

  constructor(clock: Clock) {
    this.#clock = clock
  }

  of(model: string): Unsupported {
    if (this.#byModel.size === 0) return NONE
    const known = this.#byModel.get(model)
    if (!known) return NONE
    if (known.until > this.#clock.now()) return known.unsupported
    this.#byModel.delete(model)
    return NONE
  }

  add(model: string, unsupported: readonly UnsupportedParameter[]): void {
    const all = new Set([...this.of(model), ...unsupported])
    this.#byModel.set(model, { unsupported: all, until: this.#clock.now() + FORGET_AFTER_MS })
  }
}
