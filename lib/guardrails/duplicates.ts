import { createHash } from 'node:crypto'

export interface DuplicateLimits {
  /** How often the same content may come within the window. */
  readonly most: number
  readonly windowMs: number
  /** Contents remembered for all callers; the one unused for the longest time is forgotten first. */
  readonly remembered: number
}

const DEFAULTS: DuplicateLimits = { most: 5, windowMs: 60_000, remembered: 10_000 }

export interface Repetition {
  /** How often the content has come within the window, this time included. */
  readonly count: number
  readonly isTooOften: boolean
  /** When the oldest of them leaves the window. */
  readonly retryAfterMs: number
}

/**
 * Counts how often a caller sends the same content. Contents are kept as hashes that differ from caller to caller, so that
 * one caller learns nothing of another; memory is bounded by `remembered`.
 */
export class Duplicates {
  readonly #limits: DuplicateLimits
  readonly #now: () => number
  readonly #times = new Map<string, readonly number[]>()

  /** @param now in milliseconds */
  constructor(now: () => number, limits: Partial<DuplicateLimits> = {}) {
    this.#now = now
    this.#limits = { ...DEFAULTS, ...limits }
  }

  /** Records a content of a caller. Contents are compared in lower case and with single spaces. */
  record(caller: string, content: string): Repetition {
    const { most, windowMs } = this.#limits
    const now = this.#now()
    const key = keyOf(caller, content)
    const recent = (this.#times.get(key) ?? []).filter(time => time > now - windowMs)
    const count = recent.length + 1
    this.#remember(key, [...recent, now].slice(-most - 1))
    const [oldest = now] = recent
    return { count, isTooOften: count > most, retryAfterMs: count > most ? oldest + windowMs - now : 0 }
  }

  /** How many contents are remembered. */
  get size(): number {
    return this.#times.size
  }

  #remember(key: string, times: readonly number[]): void {
    this.#times.delete(key)
    this.#times.set(key, times)
    for (const [oldest] of this.#times) {
      if (this.#times.size <= this.#limits.remembered) return
      this.#times.delete(oldest)
    }
  }
}

const keyOf = (caller: string, content: string): string =>
  createHash('sha256')
    .update(`${caller.length}:${caller}`)
    .update(content.trim().replace(/\s+/g, ' ').toLowerCase())
    .digest('base64url')
