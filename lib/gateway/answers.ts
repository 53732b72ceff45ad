import { randomBytes } from 'node:crypto'
import { Answers } from '../cache/answers.ts'
import { Generations } from '../cache/generations.ts'
import { treatments } from '../cache/rules.ts'
import { meter } from '../ledger/meter.ts'
import { background } from './background.ts'
import type { Makings } from './parts.ts'
import type { Parts } from './pipeline.ts'
import { tellOfRefresh } from './visit-end.ts'

/** No answer takes more of the store than this share, nor more than a mebibyte. */
const LARGEST_SHARE = 1 / 16
const LARGEST_BYTES = 1_048_576
const ID_BYTES = 12

/** What the cache is made of; absent where it is switched off. */
export const answersOf = (makings: Makings): Parts['answers'] => {
  const { env, clock, memory, shared, cacheCounts: counts, catalog, visits } = makings
  if (!env.ENABLE_CACHING) return undefined
  const mostBytes = Math.min(LARGEST_BYTES, env.CACHE_MAX_BYTES * LARGEST_SHARE)
  const store = shared ? shared.keyValue(memory) : memory
  return {
    answers: new Answers({ store, mostBytes, counts }),
    generations: new Generations({ store, clock, newId: () => randomBytes(ID_BYTES).toString('base64url') }),
    treatmentOf: treatments(
      {},
      {
        ttlSeconds: env.CACHE_TTL_SECONDS,
        staleWhileRevalidateSeconds: env.CACHE_STALE_WHILE_REVALIDATE_SECONDS,
        staleIfErrorSeconds: env.CACHE_STALE_IF_ERROR_SECONDS,
      },
    ),
    background: background({
      visits,
      clock,
      timeoutMs: env.REQUEST_TIMEOUT_MS,
      price: meter(catalog),
      onEnd: tellOfRefresh(makings),
    }),
    counts,
    clock,
  }
}
