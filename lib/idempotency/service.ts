import { randomUUID } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type {
  Claim,
  ClaimOrFound,
  Idempotency,
  IdempotencyRecords,
  RequestKey,
  StoredResult,
} from './types.ts'

export type IdempotencyDeps = Readonly<{
  records: IdempotencyRecords
  /** The clock that all processes on the database share. */
  clock: Clock
  /** Called with each failed write. */
  onError: (error: unknown) => void
  /** Called where a result was sent, but could not be stored. */
  onNotStored: (error: unknown) => void
}>

const KEPT_MS = 86_400_000
/** After it the key of a request whose process has died can be used again. */
const LEASE_MS = 30_000
const RENEWED_EVERY_MS = 10_000
const SWEPT_EVERY_MS = 60_000
const SWEPT_AT_ONCE = 500
const MOST_BYTES = 8_388_608
const MOST_BYTES_OF_OWNER = 268_435_456

/** Lets a request with an `Idempotency-Key` run once in 24 hours, among all processes on one database. */
export class IdempotencyService implements Idempotency {
  readonly mostBytes = MOST_BYTES
  readonly #deps: IdempotencyDeps
  readonly #running = new Set<string>()
  /** The owners of results that were stored since the last sweep. */
  readonly #grown = new Set<string>()

  constructor(deps: IdempotencyDeps) {
    this.#deps = deps
    this.#every(RENEWED_EVERY_MS, () => this.renew())
    this.#every(SWEPT_EVERY_MS, () => this.sweep())
  }

  async claim(request: RequestKey, fingerprint: string): Promise<ClaimOrFound> {
    const { records, clock } = this.#deps
    const id = randomUUID()
    const now = clock.now()
    const times = { now, leaseUntil: now + LEASE_MS, expiresAt: now + KEPT_MS }
    const found = await records.claim(request, fingerprint, id, times)
    if (found !== 'claimed') return found
    this.#running.add(id)
    return { state: 'claimed', claim: this.#claim(id, request.owner) }
  }

  /** Renews the leases of the requests that run here. */
  async renew(): Promise<void> {
    if (this.#running.size === 0) return
    const { records, clock } = this.#deps
    await records.renew([...this.#running], clock.now() + LEASE_MS)
  }

  /** Removes expired keys, a portion at a time, and results beyond the room of an owner. */
  async sweep(): Promise<void> {
    const { records, clock } = this.#deps
    for (const owner of this.#grown) {
      this.#grown.delete(owner)
      await records.dropBeyond(owner, MOST_BYTES_OF_OWNER)
    }
    while ((await records.removeExpired(clock.now(), SWEPT_AT_ONCE)) === SWEPT_AT_ONCE);
  }

  #claim(id: string, owner: string): Claim {
    const { records, onError } = this.#deps
    return {
      complete: result => this.#complete(id, owner, result),
      completeWithoutResult: () => this.#complete(id, owner, undefined),
      release: async () => {
        if (this.#running.delete(id)) await records.release(id).catch(onError)
      },
    }
  }

  async #complete(id: string, owner: string, result: StoredResult | undefined): Promise<void> {
    if (!this.#running.delete(id)) return
    try {
      if (!(await this.#deps.records.complete(id, result)))
        throw new Error('another process took the key over')
      if (result) this.#grown.add(owner)
    } catch (error) {
      this.#deps.onNotStored(error)
    }
  }

  #every(ms: number, work: () => Promise<void>): void {
    const timer = this.#deps.clock.timer(ms, async () => {
      await work().catch(this.#deps.onError)
      timer.refresh()
    })
  }
}
