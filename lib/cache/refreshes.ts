import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import type { Handler } from '../compose.ts'
import { type GatewayError, toGatewayError } from '../errors.ts'
import type { Call, Reply } from '../llm/types.ts'
import { AttemptBudget, type BackgroundEnd, newJournal } from '../request-context.ts'
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

export type BackgroundDeps = Readonly<{
  /** Opens a request of its own, which ends with `close`. */
  open: (client: AbortSignal) => Readonly<{ signal: AbortSignal; close: (record: Promise<void>) => void }>
  clock: Clock
  timeoutMs: number
  /** The pipeline of a refresh. */
  pipeline: (answer: Handler<Call, Reply>) => Handler<Call, Reply>
  onEnd: BackgroundEnd
}>

const NO_CALLER = new AbortController().signal

/** The call of a refresh, without a client: it must not end with the request that triggered it. */
const withoutCaller = (call: Call, signal: AbortSignal, startedAt: number, timeoutMs: number): Call => ({
  ...call,
  requestId: `${call.requestId}:refresh`,
  stream: false,
  signal,
  startedAt,
  deadlineAt: startedAt + timeoutMs,
  attempts: new AttemptBudget(),
  journal: { ...newJournal(), caller: call.caller.kind },
})

/**
 * Runs work for which no client waits, as a request of its own: a stopping gateway waits for it, and aborts it at the
 * end of the grace period.
 */
export const background = ({ open, clock, timeoutMs, pipeline, onEnd }: BackgroundDeps): Background => {
  return async (call, answer) => {
    const request = open(NO_CALLER)
    const work = withoutCaller(call, request.signal, clock.now(), timeoutMs)
    let error: GatewayError | undefined
    try {
      const reply = await pipeline(answer)(work)
      const events = reply.events[Symbol.asyncIterator]()
      while (!(await events.next()).done);
    } catch (thrown) {
      error = toGatewayError(thrown)
    }
    request.close(onEnd(work, error))
  }
}
