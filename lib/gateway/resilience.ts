import { Circuit } from '../resilience/breaker/circuit.ts'
import { anyOf, consecutive, sampling } from '../resilience/breaker/judge.ts'
import { type CircuitOf, circuitPerTarget } from '../resilience/breaker/policy.ts'
import type { Slots } from '../resilience/bulkhead.ts'
import type { Makings } from './parts.ts'
import type { Parts } from './pipeline.ts'

const MOST_ATTEMPTS = 4
const LONGEST_OPEN_MS = 120_000
const GREY = { failingShare: 0.5, leastCalls: 20, windowMs: 30_000 }

const circuits = ({ env, clock, logger, metrics, shared }: Makings): CircuitOf =>
  circuitPerTarget(
    target =>
      new Circuit({
        judge: anyOf(consecutive(env.BREAKER_FAILURES), sampling(GREY)),
        openMs: env.BREAKER_OPEN_MS,
        longestOpenMs: Math.max(LONGEST_OPEN_MS, env.BREAKER_OPEN_MS),
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

/** Several gateways that know of each other keep to the number together, each to its share. */
const slotsOf = ({ env, shared }: Makings): Slots => ({
  get most() {
    return shared ? shared.shareOf(env.MAX_CONCURRENCY) : env.MAX_CONCURRENCY
  },
  mostWaiting: env.MAX_CONCURRENCY,
  waitMs: 5_000,
})

/** What stands between a call and its providers' failures. */
export const resilienceOf = (
  makings: Makings,
): Pick<Parts, 'fallbacks' | 'retries' | 'circuitOf' | 'slots' | 'timeouts'> => {
  const { env, clock, catalog, shared } = makings
  const circuitOf = circuits(makings)
  return {
    fallbacks: {
      contextTokensOf: target => catalog.contextTokensOf(target),
      mostAttempts: MOST_ATTEMPTS,
      clock,
    },
    retries: {
      most: env.MAX_RETRIES,
      mostAttempts: MOST_ATTEMPTS,
      backoff: { baseMs: 250, longestMs: 8_000 },
      longestRetryAfterMs: 10_000,
      clock,
      random: Math.random,
    },
    circuitOf: shared ? shared.circuits.concern(circuitOf) : circuitOf,
    slots: slotsOf(makings),
    timeouts: { idleMs: env.REQUEST_TIMEOUT_MS, streamMs: env.STREAM_TIMEOUT_MS },
  }
}
