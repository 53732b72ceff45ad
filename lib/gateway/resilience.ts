import type { Settings } from '../config/settings.ts'
import { costUsd } from '../ledger/cost.ts'
import { estimatedInputTokens } from '../llm/providers/shared/tokens.ts'
import { Circuit } from '../resilience/breaker/circuit.ts'
import { anyOf, consecutive, type Judge, sampling, slowness } from '../resilience/breaker/judge.ts'
import { type Circuits, circuitPerTarget } from '../resilience/breaker/policy.ts'
import { bulkheads, type Slots } from '../resilience/bulkhead.ts'
import { Cooling } from '../resilience/cooling.ts'
import type { Allowances } from '../resilience/give-way.ts'
import { retryBudgets } from '../resilience/retry.ts'
import type { Makings } from './parts.ts'
import type { Parts } from './pipeline.ts'
import type { SharedState } from './shared-state.ts'
import type { Standing } from './standing.ts'

const MOST_ATTEMPTS = 4
const LONGEST_OPEN_MS = 120_000
const LONGEST_REST_MS = 300_000
const REFUSED_REST_MS = 10_000
/** Of the recent calls, for failed and for slow ones. */
const GREY = { failingShare: 0.5, leastCalls: 20, windowMs: 30_000 }

type LiveBreaker = () => Settings['breaker']

const judgeOf = (breaker: LiveBreaker): Judge =>
  anyOf(
    consecutive(() => breaker().failures),
    sampling(GREY),
    slowness(() => breaker().slowCallMs, GREY),
  )

type CircuitMakings = Pick<Makings, 'env' | 'clock' | 'logger' | 'metrics'> &
  Readonly<{ shared: SharedState | undefined }>

/**
 * The circuits of all targets. They outlive a change of settings, so theirs are looked up when needed.
 * @param breaker the settings of the moment
 */
const circuits = ({ env, clock, logger, metrics, shared }: CircuitMakings, breaker: LiveBreaker): Circuits =>
  circuitPerTarget(
    target =>
      new Circuit({
        judge: judgeOf(breaker),
        get openMs() {
          return breaker().openMs
        },
        probeMs: env.REQUEST_TIMEOUT_MS,
        get slowCallMs() {
          return breaker().slowCallMs
        },
        get longestOpenMs() {
          return Math.max(LONGEST_OPEN_MS, breaker().openMs)
        },
        clock,
        random: Math.random,
        onChange: state => {
          const { provider, name: model } = target
          const reason = 'reason' in state ? { reason: state.reason } : {}
          logger.warn({ provider, model, circuit: state.name, ...reason }, 'circuit changed')
          metrics.circuitChanged(target, state.name)
          shared?.circuits.changed(target, state)
        },
      }),
  )

/** The question has been read when an attempt is broken off; what it would have answered, nobody knows. */
const hedgesOf = ({ settings, clock, catalog }: Makings): Parts['hedges'] =>
  settings.hedgingShare > 0
    ? {
        share: settings.hedgingShare,
        mostAttempts: MOST_ATTEMPTS,
        usedBy: (call, target) => {
          const usage = { inputTokens: estimatedInputTokens(call), outputTokens: 0, estimated: true } as const
          const price = catalog.priceOf(target)
          return price ? { ...usage, costUsd: costUsd(usage, price) } : usage
        },
        clock,
      }
    : undefined
/** Several gateways that know of each other keep to the number together, each to its share. */
const slotsOf = (current: () => Settings, shared: SharedState | undefined): Slots => ({
  get most() {
    const { maxConcurrency } = current()
    return shared ? shared.shareOf(maxConcurrency) : maxConcurrency
  },
  get mostWaiting() {
    return current().maxConcurrency
  },
  waitMs: 5_000,
})

/** What is known of the providers' failures and loads, whatever becomes of the settings. */
export const resilienceState = (
  makings: CircuitMakings,
  allowances: Allowances,
  current: () => Settings,
): Pick<Parts, 'circuitOf' | 'cooling' | 'slots' | 'allowances'> &
  Required<Pick<Parts, 'budgetOf' | 'bulkheadOf'>> => {
  const { clock, shared } = makings
  const circuitOf = circuits(makings, () => current().breaker)
  const slots = slotsOf(current, shared)
  return {
    circuitOf: shared ? shared.circuits.concern(circuitOf) : circuitOf,
    cooling: new Cooling({ longestMs: LONGEST_REST_MS, refusedMs: REFUSED_REST_MS, clock }),
    slots,
    budgetOf: retryBudgets(),
    bulkheadOf: bulkheads(slots, clock),
    allowances,
  }
}

/** What stands between a call and its providers' failures. */
export const resilienceOf = (
  makings: Makings,
): Pick<Parts, 'fallbacks' | 'hedges' | 'retries' | 'timeouts'> & Standing['resilience'] => {
  const { settings, standing, clock, catalog } = makings
  return {
    fallbacks: {
      contextTokensOf: target => catalog.contextTokensOf(target),
      mostAttempts: MOST_ATTEMPTS,
      ...(settings.fallbackOn && { on: settings.fallbackOn }),
      clock,
    },
    hedges: hedgesOf(makings),
    retries: {
      most: settings.mostRetries,
      mostAttempts: MOST_ATTEMPTS,
      backoff: { baseMs: 250, longestMs: 8_000 },
      longestRetryAfterMs: 10_000,
      clock,
      random: Math.random,
    },
    ...standing.resilience,
    timeouts: settings.timeouts,
  }
}
