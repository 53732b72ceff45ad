import type { Policy } from '../../compose.ts'
import { GatewayError, isProvidersFault, toGatewayError } from '../../errors.ts'
import { tap } from '../../llm/tap.ts'
import type { Call, Reply, Target } from '../../llm/types.ts'
import type { Cooldowns } from '../cooldowns.ts'
import { type LazyMap, lazyMap } from '../lazy-map.ts'
import type { Circuit, CircuitState } from './circuit.ts'

/** The circuit of a target. */
export type CircuitOf = (target: Target) => Circuit

export type Circuits = LazyMap<Target, Circuit>

export const circuitPerTarget = (create: CircuitOf): Circuits =>
  lazyMap(({ provider, model, quality = '' }) => `${provider}\n${model}\n${quality}`, create)

/** Codes that count as an upstream failure. A rate limit, or a refusal of our key or a request, does not. */
const isUnwell = (error: GatewayError, signal: AbortSignal): boolean =>
  isProvidersFault(error) && error.retryable && error.code !== 'PROVIDER_RATE_LIMIT' && !signal.aborted

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
