import { costUsd } from '../ledger/cost.ts'
import { estimatedInputTokens } from '../llm/providers/shared/tokens.ts'
import { Circuit } from '../resilience/breaker/circuit.ts'
import { anyOf, consecutive, type Judge, sampling, slowness } from '../resilience/breaker/judge.ts'
import { type Circuits, circuitPerTarget } from '../resilience/breaker/policy.ts'
import type { Slots } from '../resilience/bulkhead.ts'
import { Cooling } from '../resilience/cooling.ts'
import type { Makings } from './parts.ts'
import type { Parts } from './pipeline.ts'

const MOST_ATTEMPTS = 4
const LONGEST_OPEN_MS = 120_000
const LONGEST_REST_MS = 300_000
const REFUSED_REST_MS = 10_000
/** Of the recent calls, for failed and for slow ones. */
const GREY = { failingShare: 0.5, leastCalls: 20, windowMs: 30_000 }

const judgeOf = ({ BREAKER_FAILURES, BREAKER_SLOW_CALL_MS }: Makings['env']): Judge => {
  const failing = [consecutive(BREAKER_FAILURES), sampling(GREY)]
  return BREAKER_SLOW_CALL_MS === undefined
    ? anyOf(...failing)
    : anyOf(...failing, slowness(BREAKER_SLOW_CALL_MS, GREY))
}

const circuits = ({ env, clock, logger, metrics, shared }: Makings): Circuits =>
  circuitPerTarget(
    target =>
      new Circuit({
        judge: judgeOf(env),
        openMs: env.BREAKER_OPEN_MS,
        probeMs: env.REQUEST_TIMEOUT_MS,
        ...(env.BREAKER_SLOW_CALL_MS !== undefined && { slowCallMs: env.BREAKER_SLOW_CALL_MS }),
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

/** The question has been read when an attempt is broken off; what it would have answered, nobody knows. */
const hedgesOf = ({ env, clock, catalog }: Makings): Parts['hedges'] =>
  env.HEDGE_SHARE > 0
    ? {
        share: env.HEDGE_SHARE,
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
): Pick<Parts, 'fallbacks' | 'hedges' | 'retries' | 'circuitOf' | 'cooling' | 'slots' | 'timeouts'> => {
  const { env, clock, catalog, shared } = makings
  const circuitOf = circuits(makings)
  return {
    fallbacks: {
      contextTokensOf: target => catalog.contextTokensOf(target),
      mostAttempts: MOST_ATTEMPTS,
      clock,
    },
    hedges: hedgesOf(makings),
    retries: {
      most: env.MAX_RETRIES,
      mostAttempts: MOST_ATTEMPTS,
      backoff: { baseMs: 250, longestMs: 8_000 },
      longestRetryAfterMs: 10_000,
      clock,
      random: Math.random,
    },
    circuitOf: shared ? shared.circuits.concern(circuitOf) : circuitOf,
    cooling: new Cooling({ longestMs: LONGEST_REST_MS, refusedMs: REFUSED_REST_MS, clock }),
    slots: slotsOf(makings),
    timeouts: {
      firstContentMs: env.FIRST_TOKEN_TIMEOUT_MS ?? env.REQUEST_TIMEOUT_MS,
      idleMs: env.IDLE_TIMEOUT_MS,
      streamMs: env.STREAM_TIMEOUT_MS,
    },
  }
}
