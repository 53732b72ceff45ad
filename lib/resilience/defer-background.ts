import { LRUCache } from 'lru-cache'
import { type Clock, sleep } from '../clock.ts'
import type { Policy } from '../compose.ts'
import { GatewayError } from '../errors.ts'
import type { Call, RateHeadroom, Reply, Target } from '../llm/types.ts'

const MOST_TARGETS = 1_000
/** The share of a provider's rate limit that is reserved for live calls. */
const RESERVED_SHARE = 0.1
const LONGEST_WAIT_MS = 60_000
const MS_PER_SECOND = 1000

const keyOf = ({ provider, model }: Target): string => `${provider}\n${model}`

/** The remaining rate limits that providers last reported. */
export class RateHeadrooms {
  readonly #headrooms = new LRUCache<string, RateHeadroom>({ max: MOST_TARGETS })

  record(target: Target, headroom: RateHeadroom): void {
    this.#headrooms.set(keyOf(target), headroom)
  }

  /** Clock time from which more than the reserve is available; absent where it is now. */
  enoughAt(target: Target): number | undefined {
    const headroom = this.#headrooms.get(keyOf(target))
    return headroom && headroom.share < RESERVED_SHARE ? headroom.resetAt : undefined
  }
}

/**
 * Delays background work while a provider has little of its rate limit left: that is reserved for live calls.
 * @throws GatewayError PROVIDER_RATE_LIMIT at once where the wait would exceed the call's deadline.
 */
export const deferBackground = (headrooms: RateHeadrooms, clock: Clock): Policy<Call, Reply> =>
  async function deferBackground(call, next) {
    const [target] = call.plan
    const enoughAt = target && headrooms.enoughAt(target)
    const waitMs = Math.min(LONGEST_WAIT_MS, (enoughAt ?? 0) - clock.now())
    if (waitMs <= 0) return await next(call)
    if (clock.now() + waitMs >= call.deadlineAt)
      throw new GatewayError('PROVIDER_RATE_LIMIT', undefined, {
        retryAfterSeconds: Math.ceil(waitMs / MS_PER_SECOND),
      })
    await sleep(clock, waitMs, call.signal)
    return await next(call)
  }
