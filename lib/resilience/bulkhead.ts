import type { Clock } from '../clock.ts'
import type { Policy } from '../compose.ts'
import { GatewayError } from '../errors.ts'
import { tap } from '../llm/events.ts'
import type { Call, Reply } from '../llm/types.ts'
import { waited } from '../request-context.ts'
import { lazyMapByProvider } from './per-target.ts'

export type Slots = Readonly<{
  /** Concurrent calls at one provider. May change: excess calls then end normally. */
  most: number
  /** Calls that may wait for a slot; more are refused at once. */
  mostWaiting: number
  /** How long a call may wait. */
  waitMs: number
}>

/** The share of slots that background work may use. */
const BACKGROUND_SHARE = 0.8

const busy = (provider: string): GatewayError =>
  new GatewayError('MODEL_UNAVAILABLE', `Too many requests to ${provider} are in progress. Please wait.`, {
    retryAfterSeconds: 1,
  })

/** The slots of one provider, granted in order of arrival. */
class Bulkhead {
  readonly #provider: string
  readonly #slots: Slots
  readonly #clock: Clock
  readonly #waiting = new Set<() => void>()
  #taken = 0

  constructor(provider: string, slots: Slots, clock: Clock) {
    this.#provider = provider
    this.#slots = slots
    this.#clock = clock
  }

  /** Resolves to a function that releases the slot. Throws MODEL_UNAVAILABLE, or the signal's reason. */
  async enter({ signal, journal, background }: Call): Promise<() => void> {
    if (background && !this.#hasBackgroundSlot()) throw busy(this.#provider)
    if (this.#taken >= this.#slots.most) {
      const queuedAt = this.#clock.now()
      await this.#waitForSlot(signal)
      waited(journal, 'queue', this.#clock.now() - queuedAt)
    } else this.#taken += 1
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      this.#release()
    }
  }

  /** Whether background work may take a slot: the last ones are for live calls. */
  #hasBackgroundSlot(): boolean {
    return this.#taken < Math.ceil(this.#slots.most * BACKGROUND_SHARE) && this.#waiting.size === 0
  }

  /** A released slot goes straight to the first in line, so that no other call can take it. */
  #release(): void {
    const [first] = this.#waiting
    if (first && this.#taken <= this.#slots.most) first()
    else this.#taken -= 1
  }

  #waitForSlot(signal: AbortSignal): Promise<void> {
    if (this.#waiting.size >= this.#slots.mostWaiting) throw busy(this.#provider)
    return new Promise((resolve, reject) => {
      const stop = () => {
        this.#waiting.delete(admit)
        timer.cancel()
        signal.removeEventListener('abort', onAbort)
      }
      const admit = () => {
        stop()
        resolve()
      }
      const onAbort = () => {
        stop()
        reject(signal.reason)
      }
      const timer = this.#clock.timer(this.#slots.waitMs, () => {
        stop()
        reject(busy(this.#provider))
      })
      this.#waiting.add(admit)
      if (signal.aborted) onAbort()
      else signal.addEventListener('abort', onAbort, { once: true })
    })
  }
}

/** One bulkhead for each provider. */
export const bulkheads = (slots: Slots, clock: Clock) =>
  lazyMapByProvider(provider => new Bulkhead(provider, slots, clock))

/** Bounds the concurrent calls at one provider, so that a slow one cannot exhaust the gateway. */
export const bulkhead = (bulkheadOf: ReturnType<typeof bulkheads>): Policy<Call, Reply> =>
  async function bulkhead(call, next) {
    const release = await bulkheadOf(call.plan[0]?.provider ?? '').enter(call)
    try {
      return tap(await next(call), { onEnd: release })
    } catch (error) {
      release()
      throw error
    }
  }
