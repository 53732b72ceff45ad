import { LRUCache } from 'lru-cache'
import type { Caller } from '../request-context.ts'
import { scopesOf } from './scope.ts'

const MOST_CALLERS = 10_000
const MOST_SAMPLES = 200
const LEAST_SAMPLES = 20
const SHARE = 0.99
const FLOOR_TOKENS = 1_000

/** The lengths of recent answers by key, from which the length of the next one is guessed. */
export class OutputSizes {
  readonly #byCaller = new LRUCache<string, number[]>({ max: MOST_CALLERS })

  record(caller: Caller, tokens: number): void {
    const name = scopesOf(caller)[0] ?? ''
    const sizes = this.#byCaller.get(name) ?? []
    if (sizes.length >= MOST_SAMPLES) sizes.shift()
    sizes.push(tokens)
    this.#byCaller.set(name, sizes)
  }

  /** The 99th percentile of the caller's last 200 answers, at least 1,000; the longest one while there are few. */
  of(caller: Caller): number {
    const sizes = (this.#byCaller.get(scopesOf(caller)[0] ?? '') ?? []).toSorted((a, b) => a - b)
    const at = sizes.length < LEAST_SAMPLES ? sizes.length - 1 : Math.ceil(sizes.length * SHARE) - 1
    return Math.max(FLOOR_TOKENS, sizes[at] ?? 0)
  }
}
