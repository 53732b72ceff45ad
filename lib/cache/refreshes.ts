import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import type { Handler } from '../compose.ts'
import type { Call, Reply } from '../llm/types.ts'
import type { CacheCounts } from './counts.ts'
import { InFlight } from './in-flight.ts'
import type { Question } from './stored-replies.ts'

/**
 * Runs a call for which no request waits: with a signal, a deadline and a journal of its own, logged and priced like
 * any other, and awaited when the gateway stops. Reads the answer to its end; never rejects.
 */
export type Background = (call: Call, answer: Handler<Call, Reply>) => Promise<void>

/** How long after a failed refresh the next one waits. */
const COOLDOWN_MS = 5_000
const MOST_COOLDOWNS = 1_000

/** Refreshes stale answers, each question once at a time. */
export class Refreshes {
  readonly #background: Background
  readonly #inFlight: InFlight
  readonly #counts: CacheCounts
  readonly #underWay = new Set<string>()
  readonly #cooldowns: LRUCache<string, true>

  constructor(background: Background, inFlight: InFlight, counts: CacheCounts, clock: Clock) {
    this.#background = background
    this.#inFlight = inFlight
    this.#counts = counts
    this.#cooldowns = new LRUCache({ max: MOST_COOLDOWNS, ttl: COOLDOWN_MS, perf: clock, ttlResolution: 0 })
  }

  /** Starts a refresh, unless one is in progress or has just failed. */
  start(question: Question, call: Call, next: Handler<Call, Reply>): void {
    const name = InFlight.nameOf(question, call)
    if (this.#underWay.has(name) || this.#cooldowns.has(name)) return
    if (this.#inFlight.isUnderWay(question, call)) return
    this.#underWay.add(name)
    this.#counts.refreshes += 1
    const onEnd = (isStored: boolean) => {
      if (isStored) return
      this.#counts.failedRefreshes += 1
      this.#cooldowns.set(name, true)
    }
    void this.#background(call, refresh => this.#inFlight.lead(question, refresh, next, onEnd)).then(() =>
      this.#underWay.delete(name),
    )
  }
}
