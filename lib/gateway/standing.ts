import type { CacheState } from '../cache/state.ts'
import type { Clock } from '../clock.ts'
import type { Counter } from '../rate-limit/counter.ts'
import { slidingWindow } from '../rate-limit/sliding-window.ts'
import type { Seen } from '../routing/alias.ts'
import { Busy } from '../routing/busy.ts'
import { Pace } from '../routing/pace.ts'
import type { resilienceState } from './resilience.ts'
import type { SharedState } from './shared-state.ts'

/** What the gateway knows and counts while it runs, whatever becomes of its settings. */
export type Standing = Readonly<{
  counter: Counter
  answers: CacheState
  resilience: ReturnType<typeof resilienceState>
  seen: Seen
}>

type StandingMakings = Readonly<{
  clock: Clock
  /** Absent where no Redis is configured. */
  shared: SharedState | undefined
  answers: CacheState
  resilience: Standing['resilience']
}>

export const newStanding = ({ clock, shared, answers, resilience }: StandingMakings): Standing => {
  const counter = slidingWindow()
  return {
    counter: shared ? shared.counter(counter) : counter,
    answers,
    resilience,
    seen: { pace: new Pace(clock), busy: new Busy() },
  }
}
