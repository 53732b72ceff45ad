import { LRUCache } from 'lru-cache'
import type { Clock } from '../../../clock.ts'
import type { UnsupportedParameter } from './parameter-errors.ts'

/** Request parameters that a model is known to refuse. */
export type Unsupported = ReadonlySet<UnsupportedParameter>

const MAX_MODELS = 1_000
const FORGET_AFTER_MS = 3_600_000
const NONE: Unsupported = new Set()

/**
 * The parameters that the models of one provider have refused. They are forgotten an hour after a model's last refusal,
 * so that a newly supported parameter is sent again; beyond 1,000 models, so are the least recently used.
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
