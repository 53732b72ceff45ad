import { LRUCache } from 'lru-cache'
import { type Clock, sleep, type Timer } from '../clock.ts'
import { Beginnings } from './beginnings.ts'
import { Gate } from './gate.ts'
import type { HoldRecords } from './hold-records.ts'
import { dayOf, limitIn, monthOf } from './period.ts'
import { refusalError, refusalOf } from './refusal.ts'
import type { Counter, Hold, LedgerSum, Limit, Refusal, Scope } from './types.ts'

const LEASE_MS = 20_000
const RENEW_EVERY_MS = 5_000
const RETRY_MS = 1_000
/** How long settlements that fail are tried again at the end of the process, which gives its stores two seconds. */
const DRAIN_MS = 1_500
const DRAIN_PAUSE_MS = 250
const NEVER = new AbortController().signal
const WAIT_MS = 5_000
const MOST_KNOWN = 10_000
/** How long a counter that another process may have changed is believed. */
const KNOWN_MS = 2_000
const LEAST_BETWEEN_SWEEPS_MS = 1_000

export type Reserved = Readonly<{ hold: Hold }> | Readonly<{ refusal: Refusal }>

/** Most of a budget is spent. */
export type BudgetNotice = Readonly<{
  scope: Scope
  period: string
  spentNanoUsd: number
  limitNanoUsd: number
}>

export type BudgetsDeps = Readonly<{
  records: HoldRecords
  /** What counters begin with. */
  ledgerSum: LedgerSum
  /** The clock that all processes on this database share. */
  clock: Clock
  /** The id of this process. */
  process: string
  newId: () => string
  /** The share of a budget, from 0 to 1, at which a notice is given: once for each scope and period, and for a higher limit again. */
  noticeAt: number
  onNotice: (notice: BudgetNotice) => void
  /** Called with the number of reservations of ended processes that were taken back. */
  onTakenBack: (count: number) => void
  /** Called when a database operation of background work fails. */
  onError: (error: unknown) => void
}>

type Unsettled = Readonly<{
  hold: Hold
  spentNanoUsd: number
  /** Whether the database has the reservation; it has none of nothing. */
  isWritten: boolean
}>
type Known = Counter & Readonly<{ readAt: number }>

const nameOf = ({ scope, period }: Pick<Counter, 'scope' | 'period'>): string => `${period} ${scope}`
const scopesOf = (limits: readonly Limit[]): readonly Scope[] => limits.map(({ scope }) => scope)
const unlimited = (limits: readonly Limit[]): readonly Limit[] => limits.map(({ scope }) => ({ scope }))
const isWritten = ({ nanoUsd }: Hold): boolean => nanoUsd > 0

/**
 * Reserves money for attempts and settles it, over all processes on one database. What is spent and reserved together
 * never exceeds a limit; only a cost above its own reservation can make it so, and is booked in full.
 */
export class Budgets {
  readonly #deps: BudgetsDeps
  /** Reservations of this process, which are renewed until they are settled. */
  readonly #held = new Map<string, Hold>()
  readonly #unsettled = new Map<string, Unsettled>()
  readonly #known = new LRUCache<string, Known>({ maxSize: MOST_KNOWN, sizeCalculation: () => 1 })
  /** The limits of which a notice was given. */
  readonly #noticed = new LRUCache<string, number>({ maxSize: MOST_KNOWN, sizeCalculation: () => 1 })
  readonly #reading = new Map<string, Promise<void>>()
  /** Bookings in progress, by the id of their reservation. */
  readonly #inProgress = new Map<string, Promise<void>>()
  readonly #beginnings: Beginnings
  readonly #reserving: Gate
  readonly #settling: Gate
  readonly #renewal: Timer
  #isDrained = false
  #retrying: Timer | undefined
  #sweptAt = Number.NEGATIVE_INFINITY

  constructor(deps: BudgetsDeps) {
    this.#deps = deps
    this.#beginnings = new Beginnings(deps.records, deps.ledgerSum)
    const gate = { most: deps.records.mostAtOnce, waitMs: WAIT_MS, clock: deps.clock }
    this.#reserving = new Gate(gate)
    this.#settling = new Gate(gate)
    this.#renewal = deps.clock.timer(RENEW_EVERY_MS, () => {
      this.#renewal.refresh()
      void this.#renew().catch(deps.onError)
    })
  }

  /** Reservations of this process that are not settled. */
  get openHolds(): number {
    return this.#held.size + this.#unsettled.size
  }

  /**
   * Reserves an amount in all limits, or in none. A reservation of 0 is written only where it turns out to have a cost.
   * @throws GatewayError STORE_UNAVAILABLE where the database fails
   */
  async reserve(limits: readonly Limit[], nanoUsd: number): Promise<Reserved> {
    const { clock, newId } = this.#deps
    const now = clock.now()
    const day = dayOf(now)
    const early = this.#refusedBySpent(limits, nanoUsd, now, day)
    if (early) return { refusal: early }
    await this.#beginnings.ensure(scopesOf(limits), day)
    const hold: Hold = { id: newId(), day, limits, nanoUsd }
    const counters = isWritten(hold) ? await this.#reserving.run(() => this.#write(hold)) : []
    if (counters) {
      this.#held.set(hold.id, hold)
      this.#learn(counters)
      return { hold }
    }
    return { refusal: await this.#refused(limits, nanoUsd, day) }
  }

  /**
   * Books the cost of a reservation and returns the rest: once, however often it is called. Where the database fails, it
   * is tried again in the background. Never rejects. @param spentNanoUsd 0 releases it
   */
  async settle(hold: Hold, spentNanoUsd: number): Promise<void> {
    if (!this.#held.delete(hold.id)) return
    if (!isWritten(hold) && spentNanoUsd === 0) return
    this.#unsettled.set(hold.id, { hold, spentNanoUsd, isWritten: isWritten(hold) })
    await this.#settleNow(hold.id).catch(error => {
      this.#deps.onError(error)
      this.#retryLater()
    })
  }

  /** Makes the counters of a scope include what the ledger has of it. @param hadLimit whether one applied till now */
  async begin(scope: Scope, hadLimit: boolean): Promise<void> {
    const day = dayOf(this.#deps.clock.now())
    if (!hadLimit) await this.#beginnings.raise(scope, day)
    await this.#beginnings.ensure([scope], day)
  }

  /**
   * Waits for settlements in progress, and tries those that have failed again, for 1.5 seconds at most. To be called
   * before the database is closed; nothing is renewed afterwards.
   */
  async drain(): Promise<void> {
    const { clock, onError } = this.#deps
    this.#isDrained = true
    this.#renewal.cancel()
    this.#retrying?.cancel()
    await Promise.allSettled(this.#inProgress.values())
    for (const until = clock.now() + DRAIN_MS; this.#unsettled.size > 0; ) {
      await Promise.all([...this.#unsettled.keys()].map(id => this.#settleNow(id).catch(onError)))
      if (this.#unsettled.size === 0 || clock.now() >= until) return
      await sleep(clock, DRAIN_PAUSE_MS, NEVER)
    }
  }

  /** @throws GatewayError QUOTA_EXCEEDED where a limit is spent. Counters of other processes may be two seconds old. */
  async assertNotSpent(limits: readonly Limit[]): Promise<void> {
    const now = this.#deps.clock.now()
    const day = dayOf(now)
    await this.#refreshKnown(limits, now, day)
    const refusal = this.#refusedBySpent(limits, 1, now, day)
    if (refusal) throw refusalError(refusal, 1, now)
  }

  /** Takes back reservations of processes that have ended; at most once a second. */
  async takeBack(): Promise<void> {
    const { records, clock, onTakenBack } = this.#deps
    const now = clock.now()
    if (now - this.#sweptAt < LEAST_BETWEEN_SWEEPS_MS) return
    this.#sweptAt = now
    const taken = await records.takeBack(now)
    if (taken > 0) onTakenBack(taken)
  }

  async #renew(): Promise<void> {
    const { records, clock } = this.#deps
    const held = [...this.#held.values()].filter(isWritten)
    const ids = [...held, ...[...this.#unsettled.values()].map(({ hold }) => hold)].map(({ id }) => id)
    if (ids.length > 0) await records.renew(ids, clock.now() + LEASE_MS)
  }

  /** The counters of a reservation that is written; undefined where a limit leaves too little. */
  async #write({ id, limits, nanoUsd, day }: Hold): Promise<readonly Counter[] | undefined> {
    const { records, clock, process } = this.#deps
    const expiresAt = clock.now() + LEASE_MS
    return (await records.reserve({ id, process, limits, nanoUsd, day, expiresAt }))?.counters
  }

  async #refused(limits: readonly Limit[], nanoUsd: number, day: string): Promise<Refusal> {
    const { records, onError } = this.#deps
    const counters = await this.#reserving.run(() => records.counters(scopesOf(limits), day))
    this.#learn(counters)
    const refusal = refusalOf(limits, counters, nanoUsd)
    if (refusal.kind === 'reserved') void this.takeBack().catch(onError)
    return refusal
  }

  /** Books a reservation that is not yet settled; one run at a time for each, so that none is booked twice. */
  #settleNow(id: string): Promise<void> {
    const settlement =
      this.#inProgress.get(id) ?? this.#settleOnce(id).finally(() => this.#inProgress.delete(id))
    this.#inProgress.set(id, settlement)
    return settlement
  }

  async #settleOnce(id: string): Promise<void> {
    const unsettled = this.#unsettled.get(id)
    if (!unsettled) return
    const { hold, spentNanoUsd } = unsettled.isWritten ? unsettled : await this.#written(id, unsettled)
    const { counters } = await this.#settling.run(() => this.#deps.records.settle(hold, spentNanoUsd))
    this.#unsettled.delete(id)
    this.#learn(counters)
    if (spentNanoUsd > 0) await this.#notice(hold.limits, counters)
  }

  /**
   * Writes a reservation of nothing, whatever is spent, so that its cost is booked as any other: once. Under an id of its
   * own: one whose writing seemed to fail expires.
   */
  async #written(id: string, { hold, spentNanoUsd }: Unsettled): Promise<Unsettled> {
    const written = { hold: { ...hold, id: this.#deps.newId() }, spentNanoUsd, isWritten: true }
    await this.#settling.run(() => this.#write({ ...written.hold, limits: unlimited(hold.limits) }))
    this.#unsettled.set(id, written)
    return written
  }

  #retryLater(): void {
    if (this.#isDrained) return
    this.#retrying ??= this.#deps.clock.timer(RETRY_MS, () => {
      this.#retrying = undefined
      void this.#settleAll()
    })
  }

  async #settleAll(): Promise<void> {
    for (const id of [...this.#unsettled.keys()]) {
      try {
        await this.#settleNow(id)
      } catch (error) {
        this.#deps.onError(error)
        return this.#retryLater()
      }
    }
  }

  #learn(counters: readonly Counter[]): void {
    const readAt = this.#deps.clock.now()
    for (const counter of counters) this.#known.set(nameOf(counter), { ...counter, readAt })
  }

  /** What is spent only grows within a period, so a known amount suffices to refuse. */
  #refusedBySpent(limits: readonly Limit[], nanoUsd: number, now: number, day: string): Refusal | undefined {
    const known = limits.flatMap(({ scope }) =>
      [day, monthOf(day)].flatMap(period => this.#known.get(nameOf({ scope, period })) ?? []),
    )
    const recent = known.filter(({ readAt }) => now - readAt <= KNOWN_MS)
    if (recent.length === 0) return undefined
    const refusal = refusalOf(limits, recent, nanoUsd)
    return refusal.kind === 'spent' ? refusal : undefined
  }

  /** Reads the counters of which nothing recent is known; calls at the same time share a reading. */
  async #refreshKnown(limits: readonly Limit[], now: number, day: string): Promise<void> {
    const old = limits.filter(({ scope }) => {
      const known = this.#known.get(nameOf({ scope, period: day }))
      return !known || now - known.readAt > KNOWN_MS
    })
    if (old.length === 0) return
    const name = old.map(({ scope }) => scope).join('\n')
    const reading =
      this.#reading.get(name) ??
      this.#begunCounters(scopesOf(old), day)
        .then(counters => this.#learn(counters))
        // Nothing is spent here: what follows is refused by the reservation.
        .catch(this.#deps.onError)
        .finally(() => this.#reading.delete(name))
    this.#reading.set(name, reading)
    await reading
  }

  async #begunCounters(scopes: readonly Scope[], day: string): Promise<readonly Counter[]> {
    await this.#beginnings.ensure(scopes, day)
    return this.#deps.records.counters(scopes, day)
  }

  async #notice(limits: readonly Limit[], counters: readonly Counter[]): Promise<void> {
    const { records, clock, noticeAt, onNotice, onError } = this.#deps
    for (const counter of counters) {
      const { scope, period, spent } = counter
      const limit = limits.find(one => one.scope === scope)
      const limitNanoUsd = limit ? limitIn(limit, period) : Number.POSITIVE_INFINITY
      const name = nameOf(counter)
      if (spent < limitNanoUsd * noticeAt || (this.#noticed.get(name) ?? -1) >= limitNanoUsd) continue
      this.#noticed.set(name, limitNanoUsd)
      try {
        if (await records.markNoticed(counter, limitNanoUsd, clock.now()))
          onNotice({ scope, period, spentNanoUsd: spent, limitNanoUsd })
      } catch (error) {
        this.#noticed.delete(name)
        onError(error)
      }
    }
  }
}
