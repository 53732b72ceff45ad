import { LRUCache } from 'lru-cache'
import type { Clock } from '../../clock.ts'
import { GatewayError } from '../../errors.ts'
import { NotBegun, type Runner } from './gate.ts'

const MOST_ENTRIES = 10_000
/** Together with the duration of a query, well below the five seconds in which a change takes effect. */
const FRESH_MS = 3_000
/** The age from which on it is looked up again in the background. */
const REFRESHED_FROM_MS = 1_500
const MISS_MS = 2_000
/** How long a request waits for the database before what was known is used, or the request refused. */
const LONGEST_WAIT_MS = 1_000
/** How long after a failure what is known is used at once. */
const OUTAGE_MS = 1_000
/** How old it may become meanwhile. */
const LONGEST_OUTAGE_MS = 300_000

type Entry<Value> = Readonly<{ value: Value; at: number }>
/** `at`: when its query began. */
type Result<Value> = Readonly<{ value: Value | undefined; at: number }>
type Running<Value> = {
  query: Promise<Value | undefined>
  /** Undefined while it waits for its turn. */
  startedAt: number | undefined
  /** When the last request that waits for it times out. */
  wantedUntil: number
}

export type LookupDeps<Value> = Readonly<{
  query: (id: string) => Promise<Value | undefined>
  /** Shared by all look-ups of one database. Unknown ids may have another one. */
  gate: Runner
  clock: Clock
}>

const unavailable = (cause: unknown): GatewayError =>
  cause instanceof NotBegun
    ? cause
    : new GatewayError('STORE_UNAVAILABLE', undefined, { retryAfterSeconds: 1, cause })

/**
 * Looks values up by their ids, with what was found kept for 3 s and what was not for 2 s, at most 10,000 of each.
 * Concurrent look-ups of one id share a query. While the database fails, values stay in use for five minutes after they
 * were last found, and for others `get` rejects with STORE_UNAVAILABLE.
 */
export class CachedLookup<Value extends object> {
  readonly #deps: LookupDeps<Value>
  readonly #found = new LRUCache<string, Entry<Value>>({ maxSize: MOST_ENTRIES, sizeCalculation: () => 1 })
  readonly #missing = new LRUCache<string, number>({ maxSize: MOST_ENTRIES, sizeCalculation: () => 1 })
  readonly #running = new Map<string, Running<Value>>()
  #failedAt = Number.NEGATIVE_INFINITY
  #answeredAt = Number.NEGATIVE_INFINITY

  constructor(deps: LookupDeps<Value>) {
    this.#deps = deps
  }

  /**
   * The value, not older than 4 s while the database answers; undefined where there is none.
   * @param gate for an id that is not known
   */
  get(id: string, gate = this.#deps.gate): Value | undefined | Promise<Value | undefined> {
    const now = this.#deps.clock.now()
    const entry = this.#found.get(id)
    if (entry) return this.#known(id, entry, now)
    const missedAt = this.#missing.get(id)
    if (missedAt !== undefined && now - missedAt < MISS_MS) return undefined
    return this.#inTime(this.#look(id, gate)).catch(error => {
      throw unavailable(error)
    })
  }

  /** Forgets everything, after a change: what is being looked up at this moment is not kept. */
  clear(): void {
    this.#found.clear()
    this.#missing.clear()
    this.#running.clear()
  }

  #known(id: string, entry: Entry<Value>, now: number): Value | Promise<Value | undefined> {
    const age = now - entry.at
    if (age < REFRESHED_FROM_MS) return entry.value
    const running = this.#look(id, this.#deps.gate)
    if (age < FRESH_MS || this.#mayBeUsed(entry)) return entry.value
    return this.#inTime(running).catch(error => {
      if (this.#mayBeUsed(entry)) return entry.value
      throw unavailable(error)
    })
  }

  /** Whether the database fails, and a value is young enough for an outage. */
  #mayBeUsed({ at }: Entry<Value>): boolean {
    const now = this.#deps.clock.now()
    return now - this.#failedAt < OUTAGE_MS && now - at < LONGEST_OUTAGE_MS
  }

  #look(id: string, gate: Runner): Running<Value> {
    const { clock, query } = this.#deps
    const wantedUntil = clock.now() + LONGEST_WAIT_MS
    const joined = this.#running.get(id)
    if (joined) {
      joined.wantedUntil = wantedUntil
      return joined
    }
    const running: Running<Value> = { query: Promise.resolve(undefined), startedAt: undefined, wantedUntil }
    running.query = gate.run(
      () => {
        running.startedAt = clock.now()
        return query(id)
      },
      () => clock.now() <= running.wantedUntil,
    )
    this.#running.set(id, running)
    running.query.then(
      value => this.#end(id, running, { value, at: running.startedAt ?? clock.now() }),
      error => this.#fail(id, running, error),
    )
    return running
  }

  #end(id: string, running: Running<Value>, { value, at }: Result<Value>): void {
    this.#answeredAt = this.#deps.clock.now()
    if (this.#running.get(id) !== running) return
    this.#running.delete(id)
    this.#failedAt = Number.NEGATIVE_INFINITY
    if (value) {
      this.#missing.delete(id)
      this.#found.set(id, { value, at })
    } else {
      this.#found.delete(id)
      this.#missing.set(id, at)
    }
  }

  #fail(id: string, running: Running<Value>, error: unknown): void {
    if (this.#running.get(id) === running) this.#running.delete(id)
    this.#failed(!(error instanceof NotBegun))
  }

  /** A look-up that did not begin is a failure only where the database answers no other one either. */
  #failed(hasBegun: boolean): void {
    const now = this.#deps.clock.now()
    if (hasBegun || now - this.#answeredAt >= LONGEST_WAIT_MS) this.#failedAt = now
  }

  #inTime(running: Running<Value>): Promise<Value | undefined> {
    return new Promise((resolve, reject) => {
      const timer = this.#deps.clock.timer(LONGEST_WAIT_MS, () => {
        const hasBegun = running.startedAt !== undefined
        this.#failed(hasBegun)
        reject(hasBegun ? new Error('the database did not answer in time') : new NotBegun())
      })
      running.query.then(resolve, reject).finally(() => timer.cancel())
    })
  }
}
