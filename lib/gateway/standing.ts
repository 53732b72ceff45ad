import type { Flights } from '../cache/policy.ts'
import type { Clock } from '../clock.ts'
import type { Counter } from '../rate-limit/counter.ts'
import { slidingWindow } from '../rate-limit/sliding-window.ts'
import type { Seen } from '../routing/alias.ts'
import { Busy } from '../routing/busy.ts'
import { Pace } from '../routing/pace.ts'
import { memoryKeyValue } from '../storage/memory.ts'
import type { KeyValue } from '../storage/types.ts'
import type { resilienceState } from './resilience.ts'
import type { SharedState } from './shared-state.ts'

/** What the gateway knows and counts while it runs, whatever becomes of its settings. */
export type Standing = Readonly<{
  counter: Counter
  store: KeyValue
  flights: Flights
  resilience: ReturnType<typeof resilienceState>
  seen: Seen
}>

type StandingMakings = Readonly<{
  clock: Clock
  cacheMaxBytes: number
  /** Absent where no Redis is configured. */
  shared: SharedState | undefined
  resilience: Standing['resilience']
}>

export const newStanding = ({ clock, cacheMaxBytes, shared, resilience }: StandingMakings): Standing => {
  const counter = slidingWindow()
  const memory = memoryKeyValue(cacheMaxBytes, clock)
  return {
    counter: shared ? shared.counter(counter) : counter,
    store: shared ? shared.keyValue(memory) : memory,
    flights: new Map(),
    resilience,
    seen: { pace: new Pace(clock), busy: new Busy() },
  }
}
