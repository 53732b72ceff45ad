import type { Clock } from '../clock.ts'
import type { KeyValue } from '../storage/types.ts'
import type { CacheCounts } from './counts.ts'
import { Generations } from './generations.ts'
import { InFlight } from './in-flight.ts'
import { type Background, Refreshes } from './refreshes.ts'
import { StoredReplies } from './stored-replies.ts'

/** The cache's state that survives a change of its rules. */
export type CacheRuntime = Readonly<{
  replies: StoredReplies
  generations: Generations
  inFlight: InFlight
  refreshes: Refreshes
  counts: CacheCounts
}>

export type CacheRuntimeDeps = Readonly<{
  store: KeyValue
  /** Larger answers are not stored. */
  mostBytes: number
  counts: CacheCounts
  clock: Clock
  background: Background
  /** Letters, digits, `_` and `-`, globally unique. */
  newId: () => string
}>

export const cacheRuntime = ({
  store,
  mostBytes,
  counts,
  clock,
  background,
  newId,
}: CacheRuntimeDeps): CacheRuntime => {
  const replies = new StoredReplies({ store, mostBytes, counts })
  const inFlight = new InFlight({ replies, clock, counts })
  return {
    replies,
    generations: new Generations({ store, clock, newId }),
    inFlight,
    refreshes: new Refreshes(background, inFlight, counts, clock),
    counts,
  }
}
