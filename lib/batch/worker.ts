import type { Clock, Timer } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import { turn } from '../loop-turns.ts'
import { Rests } from './rests.ts'
import type { BatchRecords, Claim, Outcome, Settled } from './types.ts'

/** Runs one item. Resolves to how it ended, and never rejects; when the signal aborts, nobody asks for it any more. */
export type RunItem = (claim: Claim, signal: AbortSignal) => Promise<Outcome>

export type WorkerParts = Readonly<{
  records: Pick<BatchRecords, 'claim' | 'renew' | 'settle' | 'nextDueAt'>
  run: RunItem
  clock: Clock
  /** Items at the same time. */
  slots: number
  /** After so long without a sign of life, an item is somebody else's. */
  leaseMs: number
  /** Whether nothing more shall be begun. */
  isStopping: () => boolean
  /** Told of each run whose end was written down. */
  onSettled: (claim: Claim, outcome: Outcome, settled: Exclude<Settled, 'lost'>) => void
  /** Told of what the store could not do. */
  onTrouble: (error: unknown) => void
}>

/** How an item ends whose outcome the records cannot hold. */
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
/** Whoever finds nothing to do looks again after so long, also when nobody called. */
const LONGEST_REST_MS = 5_000
/** What is due may be another worker's just now. */
const SHORTEST_REST_MS = 50
const TROUBLE_MS = 1_000

/** A worker that has lost an item may be the next to get it, while its first run still goes on. */
const keyOf = ({ jobId, index, fence }: Claim): string => `${jobId} ${index} ${fence}`

/**
 * Takes items out of the records and runs them, as many at once as it has slots. Each is leased: a worker that
 * dies or hangs loses its items to others, and whatever it says of them later changes nothing.
 */
export class Worker {
  readonly #parts: WorkerParts
  readonly #running = new Map<string, Run>()
  readonly #rests: Rests
  readonly #renewal: Timer
  #rest: Timer
  #isCalled = false
  #isLooking = false
  #whenIdle = Promise.withResolvers<void>()

  constructor(parts: WorkerParts) {
    this.#parts = parts
    const { clock, leaseMs, slots } = parts
    this.#rests = new Rests(slots)
    this.#rest = clock.timer(LONGEST_REST_MS, this.wake)
    this.#renewal = clock.timer(leaseMs / RENEWALS_PER_LEASE, () => void this.#renew())
  }

  /** Items under way. */
  get running(): number {
    return this.#running.size
  }

  /** Says that there may be something to do. */
  readonly wake = (): void => {
    this.#isCalled = true
    if (!this.#isLooking) void this.#look()
  }

  /** Resolves as soon as there is nothing to do right now. */
  idle(): Promise<void> {
    return this.#whenIdle.promise
  }

  /** Breaks off a job's items here at once; elsewhere their leases do it. */
  revoke(jobId: string): void {
    for (const { claim, controller } of this.#running.values())
      if (claim.jobId === jobId) controller.abort(new GatewayError('CLIENT_GONE', 'The job was cancelled.'))
  }

  async #look(): Promise<void> {
    this.#isLooking = true
    let restMs = LONGEST_REST_MS
    while (this.#isCalled) {
      this.#isCalled = false
      restMs = await this.#begin().catch(error => {
        this.#parts.onTrouble(error)
        return TROUBLE_MS
      })
    }
    this.#isLooking = false
    this.#restFor(restMs)
  }

  /** Begins what there is to do, as far as slots are free. Returns after how long it should look again. */
  async #begin(): Promise<number> {
    const { records, clock, slots, leaseMs, isStopping } = this.#parts
    const count = slots - this.#running.size
    if (count <= 0 || isStopping()) return LONGEST_REST_MS
    const now = clock.now()
    const except = this.#rests.resting(now)
    const claims = await records.claim({ count, now, leaseMs, except })
    for (const claim of claims) void this.#run(claim)
    if (claims.length === count) return LONGEST_REST_MS
    const { POSITIVE_INFINITY: never } = Number
    const dueAt = Math.min((await records.nextDueAt(except)) ?? never, this.#rests.nextEnd(now) ?? never)
    const dueInMs = dueAt - clock.now()
    if (this.#running.size === 0 && dueInMs > 0 && !this.#isCalled) this.#tellIdle()
    return Math.min(LONGEST_REST_MS, Math.max(SHORTEST_REST_MS, dueInMs))
  }

  async #run(claim: Claim): Promise<void> {
    const key = keyOf(claim)
    const run: Run = { claim, controller: new AbortController() }
    this.#running.set(key, run)
    // One that ends without I/O, since its answer is kept or it is refused, must not hold up all else.
    await turn()
    const outcome = await this.#parts.run(claim, run.controller.signal)
    this.#noteRefusal(claim, outcome)
    await this.#settle(run, outcome)
    this.#running.delete(key)
    this.wake()
  }

  #noteRefusal({ jobId }: Claim, outcome: Outcome): void {
    if (outcome.state === 'again' && outcome.countsAs !== 'failure')
      this.#rests.refused(jobId, this.#parts.clock.now())
    else this.#rests.end(jobId)
  }

  /**
   * A store that fails for a moment must not cost an answer that is paid for. Where it is the outcome that cannot be
   * written, the item fails: run again, it would be paid for again, and no better written.
   */
  async #settle({ claim, controller: { signal } }: Run, outcome: Outcome): Promise<void> {
    const { records, clock, leaseMs, onSettled, onTrouble } = this.#parts
    const giveUpAt = clock.now() + leaseMs
    let ending = outcome
    while (!signal.aborted) {
      try {
        const settled = await records.settle(claim, ending, clock.now())
        if (settled !== 'lost') onSettled(claim, ending, settled)
        return
      } catch (error) {
        onTrouble(error)
        if (clock.now() > giveUpAt) return
        if (ending !== UNRECORDABLE && !isStoreUnavailable(error)) {
          ending = UNRECORDABLE
          continue
        }
        await new Promise<void>(resolve => clock.timer(TROUBLE_MS, resolve))
      }
    }
  }

  async #renew(): Promise<void> {
    const { records, clock, leaseMs, onTrouble } = this.#parts
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
      onTrouble(error)
    }
    this.#renewal.refresh()
  }

  #restFor(delayMs: number): void {
    this.#rest.cancel()
    this.#rest = this.#parts.clock.timer(delayMs, this.wake)
  }

  #tellIdle(): void {
    this.#whenIdle.resolve()
    this.#whenIdle = Promise.withResolvers()
  }
}
