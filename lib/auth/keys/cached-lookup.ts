import { LRUCache } from 'lru-cache'
import type { Clock } from '../../clock.ts'
import { GatewayError } from '../../errors.ts'
import type { Gate } from './gate.ts'

const MOST_ENTRIES = 10_000
/** Together with the duration of a query, well below the five seconds in which a change takes effect. */
const FRESH_MS = 3_000
/** From this age on it is looked up again in the background. */
const REFRESHED_FROM_MS = 1_500
const MISS_MS = 2_000
/** How long a request waits for the database before what was known is used, or the request refused. */
const LONGEST_WAIT_MS = 1_000
/** After a failure, what is known is used at once for so long. */
const OUTAGE_MS = 1_000

type Entry<Value> = Readonly<{ value: Value; at: number }>
/** `at`: when its query began. */
type Result<Value> = Readonly<{ value: Value | undefined; at: number }>

export type LookupDeps<Value> = Readonly<{
  query: (id: string) => Promise<Value | undefined>
  /** Shared by all look-ups of one database. */
  gate: Gate
  clock: Clock
}>

const unavailable = (cause: unknown): GatewayError =>
  new GatewayError('STORE_UNAVAILABLE', undefined, { retryAfterSeconds: 1, cause })

/**
 * Looks values up by their ids, with what was found kept for 3 s and what was not for 2 s, at most 10,000 of each.
 * Concurrent look-ups of one id share a query. While the database fails, found values stay in use, and for others
 * `get` rejects with STORE_UNAVAILABLE.
 */
export class CachedLookup<Value extends object> {
  readonly #deps: LookupDeps<Value>
  readonly #found = new LRUCache<string, Entry<Value>>({ max: MOST_ENTRIES })
  readonly #missing = new LRUCache<string, number>({ max: MOST_ENTRIES })
  readonly #running = new Map<string, Promise<Value | undefined>>()
  #failedAt = Number.NEGATIVE_INFINITY

  constructor(deps: LookupDeps<Value>) {
    this.#deps = deps
  }

  /** The value, not older than 4 s while the database answers; undefined where there is none. */
  get(id: string): Value | undefined | Promise<Value | undefined> {
    const now = this.#deps.clock.now()
    const entry = this.#found.get(id)
    if (entry) {
      const age = now - entry.at
      if (age >= REFRESHED_FROM_MS) void this.#query(id).catch(() => {})
      if (age < FRESH_MS || now - this.#failedAt < OUTAGE_MS) return entry.value
      return this.#inTime(this.#query(id)).catch(() => entry.value)
    }
    const missedAt = this.#missing.get(id)
    if (missedAt !== undefined && now - missedAt < MISS_MS) return undefined
    return this.#inTime(this.#query(id)).catch(error => {
      throw unavailable(error)
    })
  }

  /** Forgets everything, after a change: what is being looked up at this moment is not kept. */
  clear(): void {
    this.#found.clear()
    this.#missing.clear()
    this.#running.clear()
  }

  #query(id: string): Promise<Value | undefined> {
    const running = this.#running.get(id)
    if (running) return running
    const { gate, clock } = this.#deps
    let startedAt = clock.now()
    const query = gate.run(() => {
      startedAt = clock.now()
      return this.#deps.query(id)
    })
    this.#running.set(id, query)
    query.then(
      value => this.#end(id, query, { value, at: startedAt }),
      () => this.#fail(id, query),
    )
    return query
  }

  #end(id: string, query: Promise<unknown>, { value, at }: Result<Value>): void {
    if (this.#running.get(id) !== query) return
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

  #fail(id: string, query: Promise<unknown>): void {
    if (this.#running.get(id) === query) this.#running.delete(id)
    this.#failedAt = this.#deps.clock.now()
  }

  #inTime(query: Promise<Value | undefined>): Promise<Value | undefined> {
    return new Promise((resolve, reject) => {
      const timer = this.#deps.clock.timer(LONGEST_WAIT_MS, () => {
        this.#failedAt = this.#deps.clock.now()
        reject(new Error('the database did not answer in time'))
      })
      query.then(resolve, reject).finally(() => timer.cancel())
    })
  }
}
