import { describe, expect, it } from 'vitest'
import type { BatchRecords, Claim, ItemReply, Outcome, Settled } from '#lib/batch/types.ts'
import { Worker } from '#lib/batch/worker.ts'
import { GatewayError } from '#lib/errors.ts'
import { TARGET } from '../../support/calls.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const LEASE_MS = 20_000
const ANSWER: ItemReply = {
  content: 'Done.',
  finishReason: 'stop',
  truncated: false,
  target: TARGET,
  usage: { inputTokens: 1, outputTokens: 2 },
  cache: 'miss',
}
const DONE: Outcome = { state: 'succeeded', answer: ANSWER }

type Entry = { jobId: string; dueAt: number; claim?: Claim; outcome?: Outcome }
type Operation = 'claim' | 'renew' | 'settle' | 'nextDueAt'

/** Items in their order, and what was asked for and when, counted from the beginning. */
class Shelf implements Pick<BatchRecords, Operation> {
  readonly entries: Entry[] = []
  /** What is asked of it fails for as long as it is in here. */
  readonly failing = new Set<Operation>()
  /** The state of the outcomes that cannot be written, whatever the store. */
  unwritable: Outcome['state'] | undefined
  /** Is waited for before it is told when the next item is due. */
  held = Promise.resolve()
  readonly reads: { at: number; count: number }[] = []
  readonly renewals: { at: number; places: number[] }[] = []
  readonly tries: number[] = []
  readonly #clock: FakeClock
  readonly #startedAt: number

  constructor(clock: FakeClock) {
    this.#clock = clock
    this.#startedAt = clock.now()
  }

  add(count: number, { jobId = 'job', afterMs = 0 } = {}): void {
    for (let item = 0; item < count; item += 1)
      this.entries.push({ jobId, dueAt: this.#clock.now() + afterMs })
  }

  async claim({ count, now, leaseMs, except = [] }: Parameters<BatchRecords['claim']>[0]) {
    this.reads.push({ at: this.#at, count })
    this.#fail('claim')
    const claims: Claim[] = []
    for (const [index, entry] of this.entries.entries()) {
      const isFree = entry.claim ? entry.claim.leaseUntil < now : entry.dueAt <= now
      if (entry.outcome || !isFree || claims.length === count || except.includes(entry.jobId)) continue
      const fence = (entry.claim?.fence ?? 0) + 1
      entry.claim = { ...claimOf(entry.jobId, index), fence, attempt: fence, leaseUntil: now + leaseMs }
      claims.push(entry.claim)
    }
    return claims
  }

  async renew(claims: readonly Claim[], { now, leaseMs }: { now: number; leaseMs: number }) {
    this.renewals.push({ at: this.#at, places: claims.map(({ index }) => index) })
    this.#fail('renew')
    const held: Claim[] = []
    for (const { index, fence } of claims) {
      const entry = this.entries[index]
      if (entry?.claim?.fence !== fence) continue
      entry.claim = { ...entry.claim, leaseUntil: now + leaseMs }
      held.push(entry.claim)
    }
    return held
  }

  async settle({ index, fence }: Claim, outcome: Outcome): Promise<Settled> {
    this.tries.push(this.#at)
    this.#fail('settle')
    if (outcome.state === this.unwritable) throw new RangeError('a value does not fit')
    const entry = this.entries[index]
    if (entry?.claim?.fence !== fence) return 'lost'
    if (outcome.state === 'again') {
      entry.dueAt = outcome.notBefore
      delete entry.claim
    } else entry.outcome = outcome
    return 'written'
  }

  async nextDueAt(except: readonly string[] = []) {
    this.#fail('nextDueAt')
    const times = this.entries
      .filter(({ outcome, jobId }) => !outcome && !except.includes(jobId))
      .map(({ dueAt, claim }) => claim?.leaseUntil ?? dueAt)
    await this.held
    return times.length > 0 ? Math.min(...times) : undefined
  }

  /** Gives an item to another worker. */
  takeAway(index: number): void {
    const entry = this.entries[index] as Entry
    const claim = entry.claim as Claim
    entry.claim = { ...claim, fence: claim.fence + 1, leaseUntil: Number.POSITIVE_INFINITY }
  }

  get #at(): number {
    return this.#clock.now() - this.#startedAt
  }

  #fail(operation: Operation): void {
    if (this.failing.has(operation)) throw new GatewayError('STORE_UNAVAILABLE', `${operation} fails`)
  }
}

const claimOf = (jobId: string, index: number): Claim => ({
  jobId,
  index,
  fence: 1,
  attempt: 1,
  lostRuns: 0,
  failures: 0,
  startedAt: 0,
  claimedAt: 0,
  leaseUntil: 0,
  owner: 'guest ada',
  request: { prompt: 'Hello', maxTokens: 10, cache: 'default', fallback: true },
})

type Run = Readonly<{ claim: Claim; signal: AbortSignal; end: (outcome?: Outcome) => void }>

const setting = ({ slots = 3 } = {}) => {
  const clock = new FakeClock()
  const listing = new Shelf(clock)
  const runs: Run[] = []
  const sent: [number, Outcome['state'], Settled][] = []
  const trouble: string[] = []
  const state = { isStopping: false }
  const worker = new Worker({
    records: listing,
    run: (claim, signal) => {
      const { promise, resolve } = Promise.withResolvers<Outcome>()
      runs.push({ claim, signal, end: (outcome = DONE) => resolve(outcome) })
      return promise
    },
    clock,
    slots,
    leaseMs: LEASE_MS,
    isStopping: () => state.isStopping,
    onSettled: ({ index }, outcome, settled) => sent.push([index, outcome.state, settled]),
    onError: error => trouble.push(error instanceof Error ? error.message : 'something else'),
  })
  /** Says that there is something to do, and lets it be begun. */
  const wake = async () => {
    worker.wake()
    await clock.advance(0)
  }
  const end = async (place: number, outcome?: Outcome) => {
    runs[place]?.end(outcome)
    await clock.advance(0)
  }
  const begun = () => runs.map(({ claim }) => claim.index)
  const looksAt = () => listing.reads.map(({ at }) => at)
  return { clock, listing, runs, sent, trouble, state, worker, wake, end, begun, looksAt }
}

describe('a worker', () => {
  it('fills its slots, and asks for no more than that', async () => {
    const { listing, begun, worker, wake } = setting({ slots: 3 })
    listing.add(5)
    await wake()
    expect(begun()).toEqual([0, 1, 2])
    expect(worker.running).toBe(3)
    await wake()
    expect(listing.reads).toEqual([{ at: 0, count: 3 }])
  })

  it('begins the next item as soon as one has ended, and tells how it ended', async () => {
    const { listing, begun, sent, worker, wake, end } = setting({ slots: 2 })
    listing.add(4)
    await wake()
    await end(1)
    expect(sent).toEqual([[1, 'succeeded', 'written']])
    expect(begun()).toEqual([0, 1, 2])
    expect(listing.reads.at(-1)).toEqual({ at: 0, count: 1 })
    expect(worker.running).toBe(2)
  })

  it('begins at once what it is called for', async () => {
    const { clock, listing, begun, wake } = setting()
    await clock.advance(1_234)
    listing.add(1)
    await wake()
    expect(begun()).toEqual([0])
  })

  it('looks once more where it is called while it is looking', async () => {
    const { clock, listing, begun, worker, wake } = setting()
    const { promise, resolve } = Promise.withResolvers<void>()
    listing.held = promise
    await wake()
    listing.add(1)
    worker.wake()
    resolve()
    await clock.advance(0)
    expect(begun()).toEqual([0])
  })

  it('looks by itself every five seconds where nothing waits', async () => {
    const { clock, listing, begun, looksAt } = setting()
    await clock.advance(14_000)
    expect(looksAt()).toEqual([5_000, 10_000])
    listing.add(1)
    await clock.advance(1_000)
    expect(begun()).toEqual([0])
  })

  it('looks earlier where something falls due earlier, and no later where it falls due later', async () => {
    const { clock, listing, begun, wake, looksAt } = setting()
    listing.add(1, { afterMs: 1_700 })
    listing.add(1, { afterMs: 60_000 })
    await wake()
    expect(begun()).toEqual([])
    await clock.advance(1_699)
    expect(begun()).toEqual([])
    await clock.advance(1)
    expect(begun()).toEqual([0])
    await clock.advance(5_000)
    expect(looksAt()).toEqual([0, 1_700, 6_700])
  })

  it('does not ask without a pause for what is due and cannot be had', async () => {
    const { clock, listing, wake, looksAt } = setting()
    listing.nextDueAt = async () => clock.now()
    await wake()
    await clock.advance(200)
    expect(looksAt()).toEqual([0, 50, 100, 150, 200])
  })
})

describe('a job for which no provider can be asked', () => {
  const refusedBy = (clock: FakeClock, afterMs = 500): Outcome => ({
    state: 'again',
    notBefore: clock.now() + afterMs,
    countsAs: 'nothing',
    fault: { code: 'MODEL_UNAVAILABLE', message: 'Busy.', retryable: true },
  })

  it('is in cooldown for a while, once as many of its items were refused as there are slots', async () => {
    const { clock, listing, begun, wake, end } = setting({ slots: 2 })
    listing.add(9)
    await wake()
    await end(0, refusedBy(clock))
    expect(begun()).toEqual([0, 1, 2])
    await end(1, refusedBy(clock))
    await end(2, refusedBy(clock))
    expect(begun()).toHaveLength(3)
    await clock.advance(999)
    expect(begun()).toHaveLength(3)
    await clock.advance(1)
    expect(begun()).toHaveLength(5)
  })

  it('leaves the slots to other jobs meanwhile', async () => {
    const { clock, listing, runs, wake, end } = setting({ slots: 1 })
    listing.add(3, { jobId: 'down' })
    listing.add(3, { jobId: 'up' })
    await wake()
    await end(0, refusedBy(clock))
    await end(1)
    await end(2)
    expect(runs.map(({ claim }) => claim.jobId)).toEqual(['down', 'up', 'up', 'up'])
  })

  it('has longer and longer cooldowns, up to half a minute, until one of its items comes through', async () => {
    const { clock, listing, runs, looksAt, wake, end } = setting({ slots: 1 })
    listing.add(20)
    await wake()
    const rests: number[] = []
    const refuse = async () => {
      const [from, count] = [clock.now(), runs.length]
      await end(count - 1, refusedBy(clock, 0))
      while (runs.length === count) await clock.advance(1_000)
      rests.push((clock.now() - from) / 1_000)
    }
    for (let refusal = 0; refusal < 7; refusal += 1) await refuse()
    expect(rests).toEqual([1, 2, 4, 8, 16, 30, 30])
    await end(runs.length - 1)
    await refuse()
    expect(rests.at(-1)).toBe(1)
    expect(looksAt().length).toBeLessThan(50)
  })
})

describe('a worker’s leases', () => {
  it('are renewed four times before they run out, for as long as the items run', async () => {
    const { clock, listing, wake, end } = setting()
    listing.add(2)
    await wake()
    await clock.advance(LEASE_MS)
    expect(listing.renewals).toEqual([5_000, 10_000, 15_000, 20_000].map(at => ({ at, places: [0, 1] })))
    await end(0)
    await clock.advance(5_000)
    expect(listing.renewals.at(-1)).toEqual({ at: 25_000, places: [1] })
    await end(1)
    await clock.advance(20_000)
    expect(listing.renewals).toHaveLength(5)
  })

  it('abort a run when they are lost, and its outcome is not written', async () => {
    const { clock, listing, runs, sent, worker, wake, end } = setting()
    listing.add(2)
    await wake()
    listing.takeAway(0)
    await clock.advance(5_000)
    expect(runs.map(({ signal }) => signal.aborted)).toEqual([true, false])
    expect(runs[0]?.signal.reason).toMatchObject({ code: 'CLIENT_GONE' })
    await end(0)
    expect([listing.tries, sent]).toEqual([[], []])
    expect(worker.running).toBe(1)
  })

  it('decide whose outcome counts also where the loss was not noticed', async () => {
    const { listing, sent, wake, end } = setting()
    listing.add(1)
    await wake()
    listing.takeAway(0)
    await end(0)
    expect(listing.tries).toHaveLength(1)
    expect(sent).toEqual([])
  })

  it('are renewed again after the store has failed, and no run is aborted for that', async () => {
    const { clock, listing, runs, trouble, wake } = setting()
    listing.add(1)
    await wake()
    listing.failing.add('renew')
    await clock.advance(10_000)
    expect(trouble).toEqual(['renew fails', 'renew fails'])
    listing.failing.clear()
    await clock.advance(20_000)
    expect(listing.renewals.map(({ at }) => at)).toEqual([5_000, 10_000, 15_000, 20_000, 25_000, 30_000])
    expect(runs.map(({ signal }) => signal.aborted)).toEqual([false])
  })

  it('are kept apart where an item comes back to the worker that still runs it', async () => {
    const { clock, listing, runs, sent, worker, wake, end } = setting({ slots: 2 })
    listing.add(1)
    await wake()
    listing.failing.add('renew')
    await clock.advance(LEASE_MS + 5_000)
    expect(runs.map(({ claim }) => claim.fence)).toEqual([1, 2])
    expect(worker.running).toBe(2)
    listing.failing.clear()
    await clock.advance(5_000)
    expect(runs.map(({ signal }) => signal.aborted)).toEqual([true, false])
    await end(0)
    expect(worker.running).toBe(1)
    await clock.advance(2 * LEASE_MS)
    expect(runs).toHaveLength(2)
    await end(1)
    expect(sent).toEqual([[0, 'succeeded', 'written']])
  })
})

describe('a job that is revoked', () => {
  it('has its items aborted at once, and no others, and nothing more is written of them', async () => {
    const { listing, runs, sent, begun, worker, wake, end } = setting({ slots: 3 })
    listing.add(1, { jobId: 'one' })
    listing.add(1, { jobId: 'two' })
    listing.add(1, { jobId: 'one' })
    listing.add(1, { jobId: 'three' })
    await wake()
    worker.cancelJob('one')
    expect(runs.map(({ signal }) => signal.aborted)).toEqual([true, false, true])
    expect(runs[0]?.signal.reason).toMatchObject({ code: 'CLIENT_GONE', message: 'The job was cancelled.' })
    await end(0)
    expect([listing.tries, sent]).toEqual([[], []])
    expect(begun()).toEqual([0, 1, 2, 3])
  })
})

describe('an outcome that the records cannot hold', () => {
  it.each(['succeeded', 'again'] as const)('fails its item at once, which is run once: %s', async state => {
    const { clock, listing, sent, trouble, runs, worker, wake, end } = setting()
    listing.add(1)
    await wake()
    listing.unwritable = state
    const fault = { code: 'NETWORK', message: 'Gone.', retryable: true } as const
    await end(0, state === 'again' ? { state, notBefore: 5, countsAs: 'failure', fault } : DONE)
    expect(sent).toEqual([[0, 'failed', 'written']])
    expect(trouble).toEqual(['a value does not fit'])
    expect(listing.entries[0]?.outcome).toEqual({
      state: 'failed',
      fault: {
        code: 'INTERNAL_ERROR',
        message: 'The outcome of this item could not be recorded.',
        retryable: false,
      },
    })
    await clock.advance(10 * LEASE_MS)
    expect([runs.length, worker.running]).toEqual([1, 0])
  })
})

describe('a store that fails', () => {
  it('is sent an outcome again every second, and what kept it from being written is logged', async () => {
    const { clock, listing, sent, trouble, worker, wake, end } = setting()
    listing.add(1)
    await wake()
    listing.failing.add('settle')
    await end(0)
    await clock.advance(2_500)
    expect(listing.tries).toEqual([0, 1_000, 2_000])
    expect(trouble).toEqual(['settle fails', 'settle fails', 'settle fails'])
    expect([sent, worker.running]).toEqual([[], 1])
    listing.failing.clear()
    await clock.advance(500)
    expect(sent).toEqual([[0, 'succeeded', 'written']])
    expect(worker.running).toBe(0)
    await clock.advance(60_000)
    expect(listing.tries).toHaveLength(4)
  })

  it('is sent it no more once the lease’s length has passed, and the slot is free again', async () => {
    const { clock, listing, sent, worker, wake, end } = setting({ slots: 1 })
    listing.add(1)
    await wake()
    listing.failing.add('settle')
    await end(0)
    await clock.advance(LEASE_MS - 1)
    expect(worker.running).toBe(1)
    await clock.advance(2_000)
    expect(worker.running).toBe(0)
    const tries = listing.tries.length
    await clock.advance(10_000)
    expect(listing.tries).toHaveLength(tries)
    expect(sent).toEqual([])
  })

  it('is sent nothing more of an item that is lost meanwhile', async () => {
    const { clock, listing, worker, wake, end } = setting()
    listing.add(1)
    await wake()
    listing.failing.add('settle')
    await end(0)
    listing.takeAway(0)
    await clock.advance(5_000)
    listing.failing.clear()
    await clock.advance(1_000)
    expect(listing.entries[0]?.outcome).toBeUndefined()
    expect(worker.running).toBe(0)
  })

  it('is asked for items again after a second, until it has some', async () => {
    const { clock, listing, begun, trouble, wake, looksAt } = setting()
    listing.add(1)
    listing.failing.add('claim')
    await wake()
    await clock.advance(1_500)
    expect(looksAt()).toEqual([0, 1_000])
    expect(trouble).toEqual(['claim fails', 'claim fails'])
    listing.failing.clear()
    await clock.advance(500)
    expect(begun()).toEqual([0])
  })

  it('does not cost the items that it gave before it failed', async () => {
    const { clock, listing, begun, trouble, wake, looksAt } = setting()
    listing.add(1)
    listing.failing.add('nextDueAt')
    await wake()
    expect([begun(), trouble]).toEqual([[0], ['nextDueAt fails']])
    await clock.advance(1_000)
    expect(looksAt()).toEqual([0, 1_000])
  })
})

describe('a worker that stops', () => {
  it('begins nothing more, and still writes down what ends', async () => {
    const { clock, listing, begun, sent, state, wake, end } = setting({ slots: 2 })
    listing.add(4)
    await wake()
    state.isStopping = true
    await end(0)
    await wake()
    await clock.advance(30_000)
    expect(begun()).toEqual([0, 1])
    await end(1)
    expect(sent.map(([index]) => index)).toEqual([0, 1])
    expect(listing.reads).toHaveLength(1)
  })
})

describe('an idle worker', () => {
  const idling = (worker: Worker): { isIdle: boolean } => {
    const state = { isIdle: false }
    void worker.idle().then(() => {
      state.isIdle = true
    })
    return state
  }

  it('is reported once nothing runs and nothing is due', async () => {
    const { listing, worker, wake, end } = setting({ slots: 1 })
    listing.add(2)
    listing.add(1, { afterMs: 60_000 })
    worker.wake()
    const seen = idling(worker)
    await wake()
    await end(0)
    expect(seen.isIdle).toBe(false)
    await end(1)
    expect(seen.isIdle).toBe(true)
  })

  it('is reported to each that waits for it, at the next time that it is', async () => {
    const { listing, worker, wake, end } = setting()
    const first = idling(worker)
    await wake()
    expect(first.isIdle).toBe(true)
    listing.add(1)
    worker.wake()
    const [second, third] = [idling(worker), idling(worker)]
    await wake()
    expect([second, third]).toEqual([{ isIdle: false }, { isIdle: false }])
    await end(0)
    expect([second, third]).toEqual([{ isIdle: true }, { isIdle: true }])
  })

  it('is none as long as it has not looked for what it was called for last', async () => {
    const { clock, listing, begun, worker, wake, end } = setting()
    const { promise, resolve } = Promise.withResolvers<void>()
    listing.held = promise
    await wake()
    listing.add(1)
    worker.wake()
    const seen = idling(worker)
    resolve()
    await clock.advance(0)
    expect([begun(), seen.isIdle]).toEqual([[0], false])
    await end(0)
    expect(seen.isIdle).toBe(true)
  })

  it('is none as long as something is due that it could not have', async () => {
    const { clock, listing, worker, wake } = setting()
    listing.add(1)
    listing.claim = async () => []
    const seen = idling(worker)
    await wake()
    await clock.advance(1_000)
    expect(seen.isIdle).toBe(false)
    listing.entries.length = 0
    await clock.advance(50)
    expect(seen.isIdle).toBe(true)
  })
})
