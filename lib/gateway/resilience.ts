import type { Settings } from '../config/settings.ts'
import { costPicoUsd } from '../ledger/cost.ts'
import { estimatedInputTokens } from '../llm/providers/shared/tokens.ts'
import { Circuit } from '../resilience/breaker/circuit.ts'
import { type Circuits, circuitPerTarget } from '../resilience/breaker/policy.ts'
import {
  anyOf,
  consecutive,
  sampling,
  slowness,
  type TripCondition,
} from '../resilience/breaker/trip-condition.ts'
import { bulkheads, type Slots } from '../resilience/bulkhead.ts'
import { Cooldowns } from '../resilience/cooldowns.ts'
import type { RateHeadrooms } from '../resilience/defer-background.ts'
import { retryBudgets } from '../resilience/retry.ts'
import type { WiringDeps } from './parts.ts'
import type { PipelineDeps } from './pipelines.ts'
import type { SharedState } from './shared-state.ts'
import type { Runtime } from './standing.ts'

const LONGEST_OPEN_MS = 120_000
const LONGEST_COOLDOWN_MS = 300_000
const REFUSED_COOLDOWN_MS = 10_000
/** Of the recent calls, for failed and for slow ones. */
const GREY = { failingShare: 0.5, leastCalls: 20, windowMs: 30_000 }

type BreakerSettings = () => Settings['breaker']

const tripConditionOf = (breaker: BreakerSettings): TripCondition =>
  anyOf(
    consecutive(() => breaker().failures),
    sampling(GREY),
    slowness(() => breaker().slowCallMs, GREY),
  )

type CircuitWiringDeps = Pick<WiringDeps, 'env' | 'clock' | 'logger' | 'metrics'> &
  Readonly<{ shared: SharedState | undefined }>

/**
 * The circuits of all targets. They outlive a change of settings, so theirs are looked up when needed.
 * @param breaker the settings of the moment
 */
const circuits = (
  { env, clock, logger, metrics, shared }: CircuitWiringDeps,
  breaker: BreakerSettings,
): Circuits =>
  circuitPerTarget(
    target =>
      new Circuit({
        tripCondition: tripConditionOf(breaker),
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
const hedgesOf = ({ settings, clock, catalog }: WiringDeps): PipelineDeps['hedges'] =>
  settings.hedgingShare > 0
    ? {
        share: settings.hedgingShare,
        usedBy: (call, target) => {
          const usage = { inputTokens: estimatedInputTokens(call), outputTokens: 0, estimated: true } as const
          const price = catalog.priceOf(target)
          return price ? { ...usage, costPicoUsd: costPicoUsd(usage, price) } : usage
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
  deps: CircuitWiringDeps,
  headrooms: RateHeadrooms,
  current: () => Settings,
): Pick<PipelineDeps, 'circuitOf' | 'cooldowns' | 'slots' | 'headrooms'> &
  Required<Pick<PipelineDeps, 'budgetOf' | 'bulkheadOf'>> => {
  const { clock, shared } = deps
  const circuitOf = circuits(deps, () => current().breaker)
  const slots = slotsOf(current, shared)
  return {
    circuitOf: shared ? shared.circuits.attach(circuitOf) : circuitOf,
    cooldowns: new Cooldowns({ longestMs: LONGEST_COOLDOWN_MS, refusedMs: REFUSED_COOLDOWN_MS, clock }),
    slots,
    budgetOf: retryBudgets(),
    bulkheadOf: bulkheads(slots, clock),
    headrooms,
  }
}

/** What stands between a call and its providers' failures. */
export const resilienceOf = (
  deps: WiringDeps,
): Pick<PipelineDeps, 'fallbacks' | 'hedges' | 'retries' | 'timeouts'> & Runtime['resilience'] => {
  const { settings, runtime, clock, catalog } = deps
  return {
    fallbacks: {
      contextTokensOf: target => catalog.contextTokensOf(target),
      ...(settings.fallbackOn && { on: settings.fallbackOn }),
      clock,
    },
    hedges: hedgesOf(deps),
    retries: {
      most: settings.mostRetries,
      backoff: { baseMs: 250, longestMs: 8_000 },
      longestRetryAfterMs: 10_000,
      clock,
      random: Math.random,
    },
    ...runtime.resilience,
    timeouts: settings.timeouts,
  }
}
