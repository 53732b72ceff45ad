import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'

const WINDOW_MS = 60_000
const MOST_OF_ADDRESS = 10
const MOST_IN_ALL = 100
const MOST_ADDRESSES = 10_000

const recent = (times: readonly number[], now: number): number[] => times.filter(at => at > now - WINDOW_MS)

/** The error for an address that has to wait. */
export const tooManyGuesses = (waitMs: number): GatewayError => {
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000))
  const message = `Too many wrong credentials came from this address. Try again in ${retryAfterSeconds} s.`
  return new GatewayError('RATE_LIMITED', message, { retryAfterSeconds })
}

/**
 * Counts wrong credentials: in any minute 10 of one address, and 100 of all together, which delays only addresses that have
 * sent a wrong one. It counts whether or not requests are limited. Beyond 10,000 addresses, the least recently used one
 * is forgotten.
 */
export class Guesses {
  readonly #clock: Clock
  readonly #byAddress = new LRUCache<string, readonly number[]>({
    maxSize: MOST_ADDRESSES,
    sizeCalculation: () => 1,
  })
  #all: readonly number[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Milliseconds until this address may try again; 0 where it may now. */
  waitMs(address: string): number {
    const now = this.#clock.now()
    const own = recent(this.#byAddress.get(address) ?? [], now)
    if (own.length === 0) return 0
    this.#all = recent(this.#all, now)
    const until = (times: readonly number[], most: number): number =>
      times.length < most ? 0 : (times[times.length - most] ?? now) + WINDOW_MS - now
    return Math.max(until(own, MOST_OF_ADDRESS), until(this.#all, MOST_IN_ALL))
  }

  /** Whether as many wrong ones as are counted in a minute have come from all addresses together. */
  get isFull(): boolean {
    this.#all = recent(this.#all, this.#clock.now())
    return this.#all.length >= MOST_IN_ALL
  }

  /** Records a wrong credential. Attempts while the address has to wait are not counted, so that the wait ends. */
  wrong(address: string): void {
    const now = this.#clock.now()
    if (this.waitMs(address) > 0) return
    this.#byAddress.set(address, [...recent(this.#byAddress.get(address) ?? [], now), now])
    this.#all = [...recent(this.#all, now), now].slice(-MOST_IN_ALL)
  }
}
