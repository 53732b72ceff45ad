import type { Clock } from '../clock.ts'
import type { KeyValue } from '../storage/types.ts'
import { Answers } from './answers.ts'
import type { CacheCounts } from './counts.ts'
import { Flights } from './flights.ts'
import { Generations } from './generations.ts'
import { type Background, Refreshes } from './refreshes.ts'

/** What the cache keeps and does, whatever becomes of its rules. */
export type CacheState = Readonly<{
  answers: Answers
  generations: Generations
  flights: Flights
  refreshes: Refreshes
  counts: CacheCounts
}>

export type CacheStateParts = Readonly<{
  store: KeyValue
  /** Larger answers are not kept. */
  mostBytes: number
  counts: CacheCounts
  clock: Clock
  background: Background
  /** Letters, digits, `_` and `-`, used only once in the world. */
  newId: () => string
}>

export const cacheState = ({
  store,
  mostBytes,
  counts,
  clock,
  background,
  newId,
}: CacheStateParts): CacheState => {
  const answers = new Answers({ store, mostBytes, counts })
  const flights = new Flights({ answers, clock, counts })
  return {
    answers,
    generations: new Generations({ store, clock, newId }),
    flights,
    refreshes: new Refreshes(background, flights, counts, clock),
    counts,
  }
}
