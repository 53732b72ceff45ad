import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import type { Target } from '../llm/types.ts'

export type CooldownOptions = Readonly<{
  /** No target is left alone for longer than that, whatever it asks for. */
  longestMs: number
  /** For one that refuses our access (key, quota), which does not say when it will have changed its mind. */
  refusedMs: number
  clock: Clock
}>

type Cooldown = Readonly<{ since: number; until: number; error: GatewayError }>

const MOST_TARGETS = 1_000

const keyOf = ({ provider, model }: Target): string => `${provider}\n${model}`

const seconds = (milliseconds: number): number => Math.max(1, Math.ceil(milliseconds / 1000))

/**
 * Targets that are well, but want to be left alone for a while: a busy one for as long as it says, one that refuses
 * our access for a time of ours. Until then the failure they gave is given again without asking them. Of more than
 * 1,000 at once the longest unused is forgotten.
 */
export class Cooldowns {
  readonly #options: CooldownOptions
  readonly #cooldowns = new LRUCache<string, Cooldown>({ max: MOST_TARGETS })

  constructor(options: CooldownOptions) {
    this.#options = options
  }

  /** What a target that is left alone would say, with what is left of the time; nothing where it can be asked. */
  cooldownError(target: Target): GatewayError | undefined {
    if (this.#cooldowns.size === 0) return undefined
    const cooldown = this.#cooldowns.get(keyOf(target))
    if (!cooldown) return undefined
    const leftMs = cooldown.until - this.#options.clock.now()
    if (leftMs <= 0) {
      this.#cooldowns.delete(keyOf(target))
      return undefined
    }
    const { code, message, retryable } = cooldown.error
    return new GatewayError(code, message, {
      retryable,
      retryAfterSeconds: seconds(leftMs),
      cause: new Error('the target is cooling', { cause: cooldown.error.cause }),
    })
  }

  /** Leaves the target alone where this failure of it says so. */
  failed(target: Target, error: GatewayError): void {
    const cooldownMs = this.#cooldownMs(error)
    if (cooldownMs === undefined) return
    const now = this.#options.clock.now()
    this.#cooldowns.set(keyOf(target), { since: now, until: now + cooldownMs, error })
  }

  /** Forgets the rest of a target that has answered a call begun after it was told to leave it alone. */
  succeeded(target: Target, startedAt: number): void {
    if (this.#cooldowns.size === 0) return
    const cooldown = this.#cooldowns.peek(keyOf(target))
    if (cooldown && cooldown.since < startedAt) this.#cooldowns.delete(keyOf(target))
  }

  #cooldownMs(error: GatewayError): number | undefined {
    const { longestMs, refusedMs } = this.#options
    if (error.code === 'PROVIDER_RATE_LIMIT')
      return error.retryAfterSeconds && Math.min(longestMs, error.retryAfterSeconds * 1000)
    return error.code === 'PROVIDER_ERROR' && !error.retryable ? refusedMs : undefined
  }
}
