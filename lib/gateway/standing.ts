import { Guesses } from '../auth/guesses.ts'
import type { CacheState } from '../cache/state.ts'
import type { Clock } from '../clock.ts'
import type { Environment } from '../config/schema.ts'
import type { Counter } from '../rate-limit/counter.ts'
import { slidingWindow } from '../rate-limit/sliding-window.ts'
import { Streams } from '../resume/streams.ts'
import type { Seen } from '../routing/alias.ts'
import { Busy } from '../routing/busy.ts'
import { Pace } from '../routing/pace.ts'
import { newId } from './providers.ts'
import type { resilienceState } from './resilience.ts'
import type { SharedState } from './shared-state.ts'

/** What the gateway knows and counts while it runs, whatever becomes of its settings. */
export type Standing = Readonly<{
  counter: Counter
  answers: CacheState
  resilience: ReturnType<typeof resilienceState>
  seen: Seen
  streams: Streams
  /** The wrong tokens of late. Those for metrics lock nobody out of the admin API. */
  guesses: Readonly<{ admin: Guesses; metrics: Guesses }>
}>

type StandingMakings = Readonly<{
  env: Environment
  clock: Clock
  /** Absent where no Redis is configured. */
  shared: SharedState | undefined
  answers: CacheState
  resilience: Standing['resilience']
}>

/** How long a stream that has ended can be read, and how many of them. */
const STREAM_KEPT_MS = 300_000
const MOST_STREAMS = 1_000
const MOST_STREAM_BYTES = 64 * 1024 * 1024

const streamsOf = ({ env, clock }: StandingMakings): Streams =>
  new Streams({
    clock,
    newId,
    graceMs: env.RESUME_GRACE_SECONDS * 1000,
    keptMs: STREAM_KEPT_MS,
    most: MOST_STREAMS,
    mostBytes: MOST_STREAM_BYTES,
  })

export const newStanding = (makings: StandingMakings): Standing => {
  const { clock, shared, answers, resilience } = makings
  const counter = slidingWindow()
  return {
    counter: shared ? shared.counter(counter) : counter,
    answers,
    resilience,
    seen: { pace: new Pace(clock), busy: new Busy() },
    streams: streamsOf(makings),
    guesses: { admin: new Guesses(clock), metrics: new Guesses(clock) },
  }
}
