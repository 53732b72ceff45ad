import { LRUCache } from 'lru-cache'
import type { Caller } from '../caller.ts'
import { SlidingQuantile } from '../sliding-quantile.ts'
import { scopesOf } from './scope.ts'

const MOST_CALLERS = 10_000
const P99 = { share: 0.99, most: 200, least: 20 } as const
const FLOOR_TOKENS = 1_000

type Sizes = { readonly p99: SlidingQuantile; longest: number }

const nameOf = (caller: Caller): string => scopesOf(caller)[0] ?? ''

/** The lengths of recent answers by key, from which the length of the next one is guessed. */
export class OutputSizes {
  readonly #byCaller = new LRUCache<string, Sizes>({
    max: MOST_CALLERS,
    memoMethod: () => ({ p99: new SlidingQuantile(P99), longest: 0 }),
  })

  record(caller: Caller, tokens: number): void {
    const sizes = this.#byCaller.memo(nameOf(caller))
    sizes.p99.add(tokens)
    sizes.longest = Math.max(sizes.longest, tokens)
  }

  /** The 99th percentile of the caller's last 200 answers, at least 1,000; the longest one while there are few. */
  of(caller: Caller): number {
    const sizes = this.#byCaller.get(nameOf(caller))
    return Math.max(FLOOR_TOKENS, sizes?.p99.value ?? sizes?.longest ?? 0)
  }
}
