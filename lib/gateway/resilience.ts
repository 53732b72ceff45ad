import type { Clock } from '../clock.ts'
import type { Environment } from '../config/schema.ts'
import { FIXED, type Settings } from '../config/settings.ts'
import { type Prices, pricedUsage } from '../ledger/meter.ts'
import type { Catalog } from '../llm/catalog.ts'
import { estimatedInputTokens } from '../llm/providers/shared/usage.ts'
import type { Logger } from '../observability/logger.ts'
import type { Metrics } from '../observability/metrics.ts'
import { Circuit, type Circuits, circuitPerTarget } from '../resilience/breaker/circuit.ts'
import {
  anyOf,
  consecutive,
  sampling,
  slowness,
  type TripCondition,
} from '../resilience/breaker/trip-condition.ts'
import { bulkheads, type Slots } from '../resilience/bulkhead.ts'
import type { RateHeadrooms } from '../resilience/defer-background.ts'
import { Cooldowns } from '../resilience/per-target.ts'
import { retryBudgets } from '../resilience/retry.ts'
import type { PipelineDeps } from './pipelines.ts'
import type { SharedState } from './redis.ts'

type BreakerSettings = () => Settings['breaker']

const tripConditionOf = (breaker: BreakerSettings): TripCondition => {
  const { recentCalls } = FIXED.breaker
  return anyOf(
    consecutive(() => breaker().failures),
    sampling(recentCalls),
    slowness(() => breaker().slowCallMs, recentCalls),
  )
}

type CircuitWiringDeps = Readonly<{
  env: Environment
  clock: Clock
  logger: Logger
  metrics: Metrics
  shared: SharedState | undefined
}>

/**
 * The circuits of all targets. They survive a reload, so settings are looked up when needed.
 * @param breaker the current settings
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
          return Math.max(FIXED.breaker.longestOpenMs, breaker().openMs)
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

type ResilienceDeps = Readonly<{
  settings: Settings
  catalog: Catalog
  prices: Prices
  clock: Clock
  runtime: ResilienceRuntime
}>

/** An aborted attempt has read the question; how much it would have answered is unknown. */
const hedgesOf = ({ settings, clock, prices }: ResilienceDeps): PipelineDeps['hedges'] =>
  settings.hedgingShare > 0
    ? {
        share: settings.hedgingShare,
        usedBy: (call, target) => {
          const usage = { inputTokens: estimatedInputTokens(call), outputTokens: 0, estimated: true } as const
          return pricedUsage(usage, target, prices, call.startedAt)
        },
        clock,
      }
    : undefined

/** Gateways that share a Redis share the limit, each with an equal part. */
const slotsOf = (current: () => Settings, shared: SharedState | undefined): Slots => ({
  get most() {
    const { maxConcurrency } = current()
    return shared ? shared.shareOf(maxConcurrency) : maxConcurrency
  },
  get mostWaiting() {
    return current().maxConcurrency
  },
  ...FIXED.slots,
})

/** The state of the providers' failures and loads, which survives a reload. */
export type ResilienceRuntime = Pick<
  PipelineDeps,
  'circuitOf' | 'cooldowns' | 'headrooms' | 'retryBudgetOf' | 'bulkheadOf'
>

export const resilienceRuntime = (
  deps: CircuitWiringDeps,
  headrooms: RateHeadrooms,
  current: () => Settings,
): ResilienceRuntime => {
  const { clock, shared } = deps
  const circuitOf = circuits(deps, () => current().breaker)
  return {
    circuitOf: shared ? shared.circuits.attach(circuitOf) : circuitOf,
    cooldowns: new Cooldowns({ ...FIXED.cooldowns, clock }),
    retryBudgetOf: retryBudgets(),
    bulkheadOf: bulkheads(slotsOf(current, shared), clock),
    headrooms,
  }
}

/** The policies against provider failures. */
export const resilienceOf = (
  deps: ResilienceDeps,
): Pick<PipelineDeps, 'fallbacks' | 'hedges' | 'retries' | 'timeouts'> & ResilienceRuntime => {
  const { settings, runtime, clock, catalog } = deps
  return {
    fallbacks: {
      contextTokensOf: target => catalog.contextTokensOf(target),
      on: settings.fallbackOn,
      clock,
    },
    hedges: hedgesOf(deps),
    retries: {
      most: settings.mostRetries,
      ...FIXED.retries,
      clock,
      random: Math.random,
    },
    ...runtime,
    timeouts: settings.timeouts,
  }
}
