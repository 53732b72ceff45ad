import type { Clock, Timer } from '../../clock.ts'
import type { Policy } from '../../compose.ts'
import { GatewayError, isProvidersFault, toGatewayError } from '../../errors.ts'
import { tap } from '../../llm/events.ts'
import type { Call, Reply, Target } from '../../llm/types.ts'
import { type Cooldowns, type LazyMap, lazyMapByTarget } from '../per-target.ts'
import type { TripCondition } from './trip-condition.ts'

/** `half-open`: one call is let through as a probe; `probing` while it is in progress, `decidedBy` is its deadline. */
export type CircuitState =
  | Readonly<{ name: 'closed' }>
  | Readonly<{ name: 'open'; until: number; reason: string; openedBy: 'calls' | 'probe' | 'another gateway' }>
  | Readonly<{ name: 'half-open'; probing: false; reason: string }>
  | Readonly<{ name: 'half-open'; probing: true; decidedBy: number; reason: string }>

export type CircuitReport = Readonly<{
  state: CircuitState['name']
  /** Why it opened. */
  reason?: string
  /** How long it stays open; 0 where the next call is the probe. */
  nextProbeInMs?: number
}>

export type CircuitOptions = Readonly<{
  tripCondition: TripCondition
  /** How long it stays open at first; each failed probe doubles it. */
  openMs: number
  longestOpenMs: number
  /** How long a probe may take to end, or at least to begin its answer; 30 s when absent. */
  probeMs?: number
  /** A probe whose first content takes longer has failed; unlimited when absent. */
  slowCallMs?: number
  /** How long it stays open after a failed probe, where that must not double: for probes that cost nothing. */
  probeAgainMs?: number
  clock: Clock
  /** From 0 to below 1. It spreads the probes of gateways that opened together. */
  random: () => number
  onChange: (state: CircuitState) => void
}>

/**
 * The permission for one call. Of its three outcomes (all but `began`) only the first one counts, and only in the state
 * in which it was granted.
 */
export type Permit = Readonly<{
  /** The first content has arrived; with its latency, where that is meaningful for the upstream. */
  began: (firstContentMs?: number) => void
  succeeded: () => void
  failed: (reason: string) => void
  /** The call ended without evidence about the upstream. */
  released: () => void
}>

const PROBE_MS = 30_000
const JITTER = 0.2
/** How long it has to stay closed before its next opening counts as a first one again. */
const STABLE_OPENINGS = 3

/**
 * The circuit breaker of one upstream. Closed, it lets calls through until the trip condition is met; open, it lets
 * none through; half-open, a single one as a probe, which decides. A probe that takes too long counts by its progress:
 * as a success if its answer has begun. Outcomes of calls from an earlier state are ignored.
 */
export class Circuit {
  readonly #options: CircuitOptions
  #state: CircuitState = { name: 'closed' }
  #generation = 0
  #openings = 0
  #closedAt = 0
  #probeTimer: Timer | undefined
  #probeHasBegun = false

  constructor(options: CircuitOptions) {
    this.#options = options
  }

  get state(): CircuitState {
    return this.#state
  }

  /** @returns a permission, or how many milliseconds to wait before the next request for one. */
  enter(): Permit | number {
    const now = this.#options.clock.now()
    if (this.#state.name === 'open') {
      if (now < this.#state.until) return this.#state.until - now
      this.#become({ name: 'half-open', probing: false, reason: this.#state.reason })
    }
    if (this.#state.name !== 'half-open') return this.#permit(this.#call)
    if (this.#state.probing) return Math.max(1, this.#state.decidedBy - now)
    return this.#startProbe(this.#state.reason)
  }

  /** Its state in readable form. */
  describe(): CircuitReport {
    const state = this.#state
    if (state.name === 'closed') return { state: state.name }
    const { name, reason } = state
    return name === 'half-open'
      ? { state: name, reason }
      : { state: name, reason, nextProbeInMs: Math.max(0, state.until - this.#options.clock.now()) }
  }

  /** Opens because another gateway's circuit has. A circuit that is not closed keeps its own state. */
  openUntil(until: number, reason: string): void {
    if (this.#state.name !== 'closed' || until <= this.#options.clock.now()) return
    this.#options.tripCondition.forget()
    this.#become({ name: 'open', until, reason, openedBy: 'another gateway' })
  }

  #permit({ began, succeeded, failed, released }: Permit): Permit {
    const generation = this.#generation
    let used = false
    const isCurrent = (): boolean => !used && generation === this.#generation
    const end = (): boolean => {
      const isFirst = isCurrent()
      used = true
      return isFirst
    }
    return {
      began: firstContentMs => void (isCurrent() && began(firstContentMs)),
      succeeded: () => void (end() && succeeded()),
      failed: reason => void (end() && failed(reason)),
      released: () => void (end() && released()),
    }
  }

  readonly #call: Permit = {
    began: firstContentMs => {
      if (firstContentMs === undefined) return
      const why = this.#options.tripCondition.began?.(this.#options.clock.now(), firstContentMs)
      if (why !== undefined) this.#open(why, this.#openForMs())
    },
    succeeded: () => this.#options.tripCondition.succeeded(this.#options.clock.now()),
    failed: last => {
      const why = this.#options.tripCondition.failed(this.#options.clock.now())
      if (why !== undefined) this.#open(`${why}; the last: ${last}`, this.#openForMs())
    },
    released: () => {},
  }

  readonly #probe: Permit = {
    began: (firstContentMs = 0) => {
      const { slowCallMs = Number.POSITIVE_INFINITY } = this.#options
      this.#probeHasBegun = true
      if (firstContentMs > slowCallMs)
        this.#open(`the probe took more than ${slowCallMs / 1000} s to begin`, this.#openForMs())
    },
    succeeded: () => {
      this.#closedAt = this.#options.clock.now()
      this.#options.tripCondition.forget()
      this.#become({ name: 'closed' })
    },
    failed: reason =>
      this.#open(`the probe failed: ${reason}`, this.#options.probeAgainMs ?? this.#openForMs()),
    released: () => {
      this.#probeTimer?.cancel()
      if (this.#state.name === 'half-open')
        this.#become({ name: 'half-open', probing: false, reason: this.#state.reason })
    },
  }

  #startProbe(reason: string): Permit {
    const { clock, probeMs = PROBE_MS } = this.#options
    this.#become({ name: 'half-open', probing: true, decidedBy: clock.now() + probeMs, reason })
    this.#probeHasBegun = false
    const permit = this.#permit(this.#probe)
    this.#probeTimer = clock.timer(probeMs, () =>
      this.#probeHasBegun ? permit.succeeded() : permit.failed(`nothing came within ${probeMs / 1000} s`),
    )
    return permit
  }

  /** How long this opening lasts: longer each time, until it has been closed for long. */
  #openForMs(): number {
    const { clock, openMs, longestOpenMs, random } = this.#options
    const wasStable = this.#state.name === 'closed' && clock.now() - this.#closedAt > STABLE_OPENINGS * openMs
    this.#openings = wasStable ? 1 : this.#openings + 1
    return Math.min(longestOpenMs, openMs * 2 ** (this.#openings - 1)) * (1 + JITTER * random())
  }

  #open(reason: string, openForMs: number): void {
    const openedBy = this.#state.name === 'closed' ? 'calls' : 'probe'
    this.#options.tripCondition.forget()
    this.#become({ name: 'open', until: this.#options.clock.now() + openForMs, reason, openedBy })
  }

  #become(state: CircuitState): void {
    const changed = state.name !== this.#state.name
    this.#state = state
    if (!changed) return
    this.#generation += 1
    this.#probeTimer?.cancel()
    this.#options.onChange(state)
  }
}

/** The circuit of a target. */
export type CircuitOf = (target: Target) => Circuit

export type Circuits = LazyMap<Target, Circuit>

export const circuitPerTarget = (create: CircuitOf): Circuits => lazyMapByTarget(create)

/** Errors that count as an upstream failure. A rate limit, or a refusal of our key or a request, does not. */
const isUnwell = (error: GatewayError, signal: AbortSignal): boolean =>
  isProvidersFault(error) &&
  (error.retryable || error.unwell) &&
  error.refused === undefined &&
  error.code !== 'PROVIDER_RATE_LIMIT' &&
  !signal.aborted

const unavailable = ({ name }: Target, state: CircuitState, waitMs: number): GatewayError => {
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000))
  return new GatewayError('MODEL_UNAVAILABLE', `${name} keeps failing; next try in ${retryAfterSeconds} s.`, {
    retryAfterSeconds,
    ...(state.name !== 'closed' && { cause: new Error(`circuit ${state.name}: ${state.reason}`) }),
  })
}

const firstContentMs = ({ attempt }: Reply): number | undefined =>
  attempt?.firstContentAt === undefined ? undefined : attempt.firstContentAt - attempt.startedAt

/**
 * Skips a target that has been failing, or that is in cooldown. A stream counts as a success when it has ended well, as
 * a failure at once; a client that disconnects is no evidence about the target.
 */
export const breaker = (circuitOf: CircuitOf, cooldowns: Cooldowns): Policy<Call, Reply> =>
  async function breaker(call, next) {
    const target = call.plan[0]
    if (!target) return await next(call)
    const cooldownError = cooldowns.cooldownError(target)
    if (cooldownError) throw cooldownError
    const circuit = circuitOf(target)
    const permit = circuit.enter()
    if (typeof permit === 'number') throw unavailable(target, circuit.state, permit)
    const reportFailure = (error: GatewayError): void =>
      isUnwell(error, call.signal) ? permit.failed(error.code) : permit.released()
    try {
      const reply = await next(call)
      if (reply.attempt) cooldowns.succeeded(target, reply.attempt.startedAt)
      permit.began(call.stream ? firstContentMs(reply) : undefined)
      return tap(reply, {
        onEvents(events) {
          for (const event of events) if (event.type === 'error') reportFailure(event.error)
        },
        onEnd: ending => (ending === 'complete' ? permit.succeeded() : permit.released()),
      })
    } catch (thrown) {
      const error = toGatewayError(thrown)
      reportFailure(error)
      if (!call.signal.aborted) cooldowns.failed(target, error)
      throw thrown
    }
  }
