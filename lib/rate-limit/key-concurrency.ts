import type { Clock } from '../clock.ts'
import type { Policy } from '../compose.ts'
import { GatewayError } from '../errors.ts'
import { tap } from '../llm/events.ts'
import type { Call, Reply } from '../llm/types.ts'
import { waited } from '../request-context.ts'
import type { KeySlots } from './slots.ts'

export type ConcurrencyDeps = Readonly<{ slots: KeySlots; clock: Clock }>

const tooMany = (most: number): GatewayError =>
  new GatewayError('RATE_LIMITED', `Too many calls in progress: this API key may have ${most}.`, {
    retryAfterSeconds: 1,
  })

/** Bounds the calls in progress of a key that has such a limit; a call ends with its answer, however that ends. */
export const keyConcurrency = ({ slots, clock }: ConcurrencyDeps): Policy<Call, Reply> =>
  async function keyConcurrency(call, next) {
    const { caller } = call
    const most = caller.kind === 'key' ? caller.limits?.concurrency : undefined
    if (caller.kind !== 'key' || most === undefined) return await next(call)
    const askedAt = clock.now()
    const leave = await slots.enter(caller.id, most)
    waited(call.journal, 'limit', clock.now() - askedAt)
    if (!leave) throw tooMany(most)
    try {
      return tap(await next(call), { onEnd: leave })
    } catch (error) {
      leave()
      throw error
    }
  }
