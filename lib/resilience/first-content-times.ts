import type { Call, Target } from '../llm/types.ts'
import { lazyMap } from './lazy-map.ts'

const MOST_SAMPLES = 100
const LEAST_SAMPLES = 20
const SHARE = 0.95
/** New samples after which the percentile is recomputed. */
const SORTED_EVERY = 10

/** The last 100 times to first content of one kind of call. */
class Times {
  readonly #last: number[] = []
  #next = 0
  #samples = 0
  #percentile: number | undefined

  add(milliseconds: number): void {
    this.#last[this.#next] = milliseconds
    this.#next = (this.#next + 1) % MOST_SAMPLES
    this.#samples += 1
    if (
      this.#samples >= LEAST_SAMPLES &&
      (this.#percentile === undefined || this.#samples % SORTED_EVERY === 0)
    )
      this.#percentile = this.#last.toSorted((a, b) => a - b)[Math.ceil(this.#last.length * SHARE) - 1]
  }

  get percentile(): number | undefined {
    return this.#percentile
  }
}

type Kind = Readonly<{ target: Target; stream: boolean }>

/** Times to first content by target: whole answers and streams separately, since only a stream begins early. */
export class FirstContentTimes {
  readonly #timesOf = lazyMap<Kind, Times>(
    ({ target, stream }) => `${target.provider}\n${target.model}\n${stream}`,
    () => new Times(),
  )

  record(target: Target, { stream }: Call, milliseconds: number): void {
    this.#timesOf({ target, stream }).add(milliseconds)
  }

  /** The 95th percentile in milliseconds; absent until there are 20 samples. */
  p95Ms(target: Target, { stream }: Call): number | undefined {
    return this.#timesOf({ target, stream }).percentile
  }
}
