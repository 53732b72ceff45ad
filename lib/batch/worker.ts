import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock, Timer } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import { turn } from '../loop-turns.ts'
import { JobCooldowns } from './job-cooldowns.ts'
import { holdsUpJob } from './retry-decision.ts'
import type { BatchRecords, Claim, Outcome, Settled } from './types.ts'

/** Runs one item. Resolves to how it ended, and never rejects; after the signal aborts, the outcome is ignored. */
export type RunItem = (claim: Claim, signal: AbortSignal) => Promise<Outcome>

export type WorkerDeps = Readonly<{
  records: Pick<BatchRecords, 'claim' | 'renew' | 'settle' | 'nextDueAt'>
  run: RunItem
  clock: Clock
  /** Items at the same time. */
  slots: number
  /** How long an item is leased without renewal; then another worker may claim it. */
  leaseMs: number
  /** Whether no more items may start. */
  isStopping: () => boolean
  /** Called for each run whose end was recorded. */
  onSettled: (claim: Claim, outcome: Outcome, settled: Exclude<Settled, 'lost'>) => void
  /** Called when a database operation fails. */
  onError: (error: unknown) => void
}>

/** How an item ends whose outcome the database cannot store. */
const UNRECORDABLE: Outcome = {
  state: 'failed',
  fault: {
    code: 'INTERNAL_ERROR',
    message: 'The outcome of this item could not be recorded.',
    retryable: false,
  },
}

const isStoreUnavailable = (error: unknown): boolean =>
  error instanceof GatewayError && error.code === 'STORE_UNAVAILABLE'

type Run = { claim: Claim; readonly controller: AbortController }

const RENEWALS_PER_LEASE = 4
/** Polling interval of an idle worker, without a signal. */
const LONGEST_POLL_MS = 5_000
/** A due item may be claimed by another worker first. */
const SHORTEST_POLL_MS = 50
const ERROR_PAUSE_MS = 1_000

/** A worker that has lost an item may be the next to claim it, while its first run still continues. */
const keyOf = ({ jobId, index, fence }: Claim): string => `${jobId} ${index} ${fence}`

/**
 * Takes items out of the records and runs them, as many at once as it has slots. Each is leased: a worker that
 * dies or hangs loses its items to others, and its later writes to them change nothing.
 */
export class Worker {
  readonly #deps: WorkerDeps
  readonly #running = new Map<string, Run>()
  readonly #cooldowns: JobCooldowns
  readonly #renewal: Timer
  #pollTimer: Timer
  #isCalled = false
  #isClaiming = false
  #whenIdle = Promise.withResolvers<void>()

  constructor(deps: WorkerDeps) {
    this.#deps = deps
    const { clock, leaseMs, slots } = deps
    this.#cooldowns = new JobCooldowns(slots)
    this.#pollTimer = clock.timer(LONGEST_POLL_MS, this.wake)
    this.#renewal = clock.timer(leaseMs / RENEWALS_PER_LEASE, () => void this.#renew())
  }

  /** Running items. */
  get running(): number {
    return this.#running.size
  }

  /** Signals that there may be work. */
  readonly wake = (): void => {
    this.#isCalled = true
    if (!this.#isClaiming) void this.#claim()
  }

  /** Resolves as soon as there is no work right now. */
  idle(): Promise<void> {
    return this.#whenIdle.promise
  }

  /** Aborts a job's items in this process at once; in others they end when their leases are not renewed. */
  cancelJob(jobId: string): void {
    for (const { claim, controller } of this.#running.values())
      if (claim.jobId === jobId) controller.abort(new GatewayError('CLIENT_GONE', 'The job was cancelled.'))
  }

  async #claim(): Promise<void> {
    this.#isClaiming = true
    let pollMs = LONGEST_POLL_MS
    while (this.#isCalled) {
      // Items that end together are replaced together.
      await nextTurn()
      this.#isCalled = false
      pollMs = await this.#begin().catch(error => {
        this.#deps.onError(error)
        return ERROR_PAUSE_MS
      })
    }
    this.#isClaiming = false
    this.#pollAfter(pollMs)
  }

  /** Starts available items, as far as slots are free. Returns the time until the next poll. */
  async #begin(): Promise<number> {
    const { records, clock, slots, leaseMs, isStopping } = this.#deps
    const count = slots - this.#running.size
    if (count <= 0 || isStopping()) return LONGEST_POLL_MS
    const now = clock.now()
    const except = this.#cooldowns.active(now)
    const claims = await records.claim({ count, now, leaseMs, except })
    for (const claim of claims) void this.#run(claim)
    if (claims.length === count) return LONGEST_POLL_MS
    const { POSITIVE_INFINITY: never } = Number
    const dueAt = Math.min((await records.nextDueAt(except)) ?? never, this.#cooldowns.nextEnd(now) ?? never)
    const dueInMs = dueAt - clock.now()
    if (this.#running.size === 0 && dueInMs > 0 && !this.#isCalled) this.#notifyIdle()
    return Math.min(LONGEST_POLL_MS, Math.max(SHORTEST_POLL_MS, dueInMs))
  }

  async #run(claim: Claim): Promise<void> {
    const key = keyOf(claim)
    const run: Run = { claim, controller: new AbortController() }
    this.#running.set(key, run)
    // An item that ends without I/O, from the cache or by a refusal, must not block the event loop.
    await turn()
    const outcome = await this.#deps.run(claim, run.controller.signal)
    this.#recordOutcome(claim, outcome)
    await this.#settle(run, outcome)
    this.#running.delete(key)
    this.wake()
  }

  #recordOutcome({ jobId }: Claim, outcome: Outcome): void {
    if (holdsUpJob(outcome)) this.#cooldowns.failed(jobId, this.#deps.clock.now())
    else this.#cooldowns.end(jobId)
  }

  /**
   * A transient database failure must not lose an answer that is paid for. Where the outcome itself cannot be stored,
   * the item fails: a second run would cost again and fail the same way.
   */
  async #settle({ claim, controller: { signal } }: Run, outcome: Outcome): Promise<void> {
    const { records, clock, leaseMs, onSettled, onError } = this.#deps
    const deadline = clock.now() + leaseMs
    let ending = outcome
    while (!signal.aborted) {
      try {
        const settled = await records.settle(claim, ending, clock.now())
        if (settled !== 'lost') onSettled(claim, ending, settled)
        return
      } catch (error) {
        onError(error)
        if (clock.now() > deadline) return
        if (ending !== UNRECORDABLE && !isStoreUnavailable(error)) {
          ending = UNRECORDABLE
          continue
        }
        await new Promise<void>(resolve => clock.timer(ERROR_PAUSE_MS, resolve))
      }
    }
  }

  async #renew(): Promise<void> {
    const { records, clock, leaseMs, onError } = this.#deps
    const runs = [...this.#running.values()]
    try {
      if (runs.length > 0) {
        const claims = runs.map(({ claim }) => claim)
        const held = await records.renew(claims, { now: clock.now(), leaseMs })
        const keys = new Set(held.map(keyOf))
        for (const { claim, controller } of runs)
          if (!keys.has(keyOf(claim)))
            controller.abort(new GatewayError('CLIENT_GONE', 'The lease was lost.'))
      }
    } catch (error) {
      onError(error)
    }
    this.#renewal.refresh()
  }

  #pollAfter(delayMs: number): void {
    this.#pollTimer.cancel()
    this.#pollTimer = this.#deps.clock.timer(delayMs, this.wake)
  }

  #notifyIdle(): void {
    this.#whenIdle.resolve()
    this.#whenIdle = Promise.withResolvers()
  }
}
