import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import type { Target } from '../llm/types.ts'

const MOST = 1_000

/** One value for each subject; `all` lists the existing ones, the least recently used last. */
export type LazyMap<Subject, T> = ((subject: Subject) => T) & {
  readonly all: () => readonly (readonly [Subject, T])[]
}

/**
 * One value for each subject, created on first use. Beyond 1,000 of them the least recently used is forgotten.
 *
 * @param keyOf equal keys mean the same subject
 */
export const lazyMap = <Subject, T extends object>(
  keyOf: (subject: Subject) => string,
  create: (subject: Subject) => T,
): LazyMap<Subject, T> => {
  const made = new LRUCache<string, readonly [Subject, T]>({ max: MOST })
  const of = (subject: Subject): T => {
    const key = keyOf(subject)
    const known = made.get(key)
    if (known) return known[1]
    const one = create(subject)
    made.set(key, [subject, one])
    return one
  }
  return Object.assign(of, { all: () => [...made.values()] })
}

const targetKey = ({ provider, model, quality = '' }: Target): string => `${provider}\n${model}\n${quality}`

export const lazyMapByTarget = <T extends object>(create: (target: Target) => T): LazyMap<Target, T> =>
  lazyMap(targetKey, create)

export const lazyMapByProvider = <T extends object>(
  create: (provider: string) => T,
): ((provider: string) => T) => lazyMap(provider => provider, create)

export type CooldownOptions = Readonly<{
  /** The longest cooldown, whatever the target requests. */
  longestMs: number
  /** For a refusal of our access (key, quota), which names no time. */
  refusedMs: number
  clock: Clock
}>

type Cooldown = Readonly<{ since: number; until: number; error: GatewayError }>

const seconds = (milliseconds: number): number => Math.max(1, Math.ceil(milliseconds / 1000))

/**
 * Targets that are healthy but must not be called for a while: a busy one for as long as it requests, one that refuses
 * our access for a fixed time. Until then their last error is returned without a call. Beyond 1,000 at once the least
 * recently used is forgotten.
 */
export class Cooldowns {
  readonly #options: CooldownOptions
  readonly #cooldowns = new LRUCache<string, Cooldown>({ max: MOST })

  constructor(options: CooldownOptions) {
    this.#options = options
  }

  /** The error of a target in cooldown, with the remaining time; undefined where it may be called. */
  cooldownError(target: Target): GatewayError | undefined {
    if (this.#cooldowns.size === 0) return undefined
    const cooldown = this.#cooldowns.get(targetKey(target))
    if (!cooldown) return undefined
    const leftMs = cooldown.until - this.#options.clock.now()
    if (leftMs <= 0) {
      this.#cooldowns.delete(targetKey(target))
      return undefined
    }
    const { code, message, retryable } = cooldown.error
    return new GatewayError(code, message, {
      retryable,
      retryAfterSeconds: seconds(leftMs),
      cause: new Error('the target is in cooldown', { cause: cooldown.error.cause }),
    })
  }

  /** Starts a cooldown where this failure of the target requires one. */
  failed(target: Target, error: GatewayError): void {
    const cooldownMs = this.#cooldownMs(error)
    if (cooldownMs === undefined) return
    const now = this.#options.clock.now()
    this.#cooldowns.set(targetKey(target), { since: now, until: now + cooldownMs, error })
  }

  /** Ends the cooldown of a target that has answered a call begun after the cooldown started. */
  succeeded(target: Target, startedAt: number): void {
    if (this.#cooldowns.size === 0) return
    const cooldown = this.#cooldowns.peek(targetKey(target))
    if (cooldown && cooldown.since < startedAt) this.#cooldowns.delete(targetKey(target))
  }

  #cooldownMs(error: GatewayError): number | undefined {
    const { longestMs, refusedMs } = this.#options
    if (error.code === 'PROVIDER_RATE_LIMIT')
      return error.retryAfterMs === undefined ? undefined : Math.min(longestMs, error.retryAfterMs)
    return error.refused === 'access' ? refusedMs : undefined
  }
}
