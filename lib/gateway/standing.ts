import { Guesses } from '../auth/guesses.ts'
import type { CacheRuntime } from '../cache/runtime.ts'
import type { Clock } from '../clock.ts'
import type { Environment } from '../config/schema.ts'
import type { Counter } from '../rate-limit/counter.ts'
import { slidingWindow } from '../rate-limit/sliding-window.ts'
import { Streams } from '../resume/streams.ts'
import type { TargetStats } from '../routing/alias.ts'
import { Busy } from '../routing/busy.ts'
import { LatencyEwma } from '../routing/latency-ewma.ts'
import { newId } from './providers.ts'
import type { resilienceState } from './resilience.ts'
import type { SharedState } from './shared-state.ts'

/** The gateway's knowledge and counters, which survive a reload. */
export type Runtime = Readonly<{
  counter: Counter
  answers: CacheRuntime
  resilience: ReturnType<typeof resilienceState>
  seen: TargetStats
  streams: Streams
  /** Recent wrong tokens. Those for metrics do not block the admin API. */
  guesses: Readonly<{ admin: Guesses; metrics: Guesses }>
}>

type RuntimeDeps = Readonly<{
  env: Environment
  clock: Clock
  /** Absent where no Redis is configured. */
  shared: SharedState | undefined
  answers: CacheRuntime
  resilience: Runtime['resilience']
}>

/** How long a stream that has ended can be read, and how many are kept. */
const STREAM_KEPT_MS = 300_000
const MOST_STREAMS = 1_000
const MOST_STREAM_BYTES = 64 * 1024 * 1024

const streamsOf = ({ env, clock }: RuntimeDeps): Streams =>
  new Streams({
    clock,
    newId,
    graceMs: env.RESUME_GRACE_SECONDS * 1000,
    keptMs: STREAM_KEPT_MS,
    most: MOST_STREAMS,
    mostBytes: MOST_STREAM_BYTES,
  })

export const newRuntime = (deps: RuntimeDeps): Runtime => {
  const { clock, shared, answers, resilience } = deps
  const counter = slidingWindow()
  return {
    counter: shared ? shared.counter(counter) : counter,
    answers,
    resilience,
    seen: { latency: new LatencyEwma(clock), busy: new Busy() },
    streams: streamsOf(deps),
    guesses: { admin: new Guesses(clock), metrics: new Guesses(clock) },
  }
}
