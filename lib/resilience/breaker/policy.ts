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
  lazyMap(({ provider, model }) => `${provider}\n${model}`, create)

/** What says that an upstream is not well. Being busy, or refusing our key or a request, is not being unwell. */
const isUnwell = (error: GatewayError, signal: AbortSignal): boolean =>
  isProvidersFault(error) && error.retryable && error.code !== 'PROVIDER_RATE_LIMIT' && !signal.aborted

const unavailable = ({ name }: Target, state: CircuitState, waitMs: number): GatewayError =>
  new GatewayError('MODEL_UNAVAILABLE', `The model ${name} has been failing and is not called for now.`, {
    retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)),
    ...(state.name !== 'closed' && { cause: new Error(`circuit ${state.name}: ${state.reason}`) }),
  })

const firstContentMs = ({ attempt }: Reply): number | undefined =>
  attempt?.firstContentAt === undefined ? undefined : attempt.firstContentAt - attempt.startedAt

/**
 * Keeps calls away from a target that has been failing, or that wants to be left alone (`cooling`). A stream
 * succeeds when it has ended well, and fails at once; a client that leaves says nothing about the target.
 */
export const breaker = (circuitOf: CircuitOf, cooldowns: Cooldowns): Policy<Call, Reply> =>
  async function breaker(call, next) {
    const target = call.plan[0]
    if (!target) return await next(call)
    const refusal = cooldowns.cooldownError(target)
    if (refusal) throw refusal
    const circuit = circuitOf(target)
    const permit = circuit.enter()
    if (typeof permit === 'number') throw unavailable(target, circuit.state, permit)
    const tripCondition = (error: GatewayError): void =>
      isUnwell(error, call.signal) ? permit.failed(error.code) : permit.released()
    try {
      const reply = await next(call)
      if (reply.attempt) cooldowns.succeeded(target, reply.attempt.startedAt)
      permit.began(call.stream ? firstContentMs(reply) : undefined)
      return tap(reply, {
        onBatch(batch) {
          for (const event of batch) if (event.type === 'error') tripCondition(event.error)
        },
        onEnd: ending => (ending === 'complete' ? permit.succeeded() : permit.released()),
      })
    } catch (thrown) {
      const error = toGatewayError(thrown)
      tripCondition(error)
      if (!call.signal.aborted) cooldowns.failed(target, error)
      throw thrown
    }
  }
