import type { Clock, Timer } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import type { Records } from '../storage/records/records.ts'
import { type AttemptRow, insertions, type RequestRow } from './columns.ts'
import { rollupOf } from './rollup.ts'

/** Rows that are written in one transaction, with their sums. */
type Group = Readonly<{ attempts: readonly AttemptRow[]; requests: readonly RequestRow[] }>

/** How long a row waits for others: with the commit, less than 100 ms. */
const GATHERED_MS = 50
const MOST_IN_GROUP = 1_000
/** Rows in memory while the database is away. Further ones are lost. */
const MOST_WAITING = 200_000
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 2_000
const LOGGED_AGAIN_AFTER_MS = 10_000

export type WriterDeps = Readonly<{
  records: Records
  clock: Clock
  /** Called when rows are lost: how many, and why. */
  onLost: (rows: number, error?: unknown) => void
}>

const sizeOf = ({ attempts, requests }: Group): number => attempts.length + requests.length

const isAway = (error: unknown): boolean =>
  error instanceof GatewayError && error.code === 'STORE_UNAVAILABLE'

/**
 * Writes rows in groups, so that no request waits for a disk. A row is written, and added to the sums, once: what was
 * written before, by its id, is left out of the group, also where a group is repeated because its outcome was unknown.
 * While the database is away, rows wait in memory. A process that is killed loses the rows that are not written: those
 * of the last 100 ms.
 */
export class LedgerWriter {
  readonly #deps: WriterDeps
  readonly #insertions: ReturnType<typeof insertions>
  #attempts: AttemptRow[] = []
  #requests: RequestRow[] = []
  #timer: Timer | undefined
  #writing: Promise<void> | undefined
  #pause: (() => void) | undefined
  #lost = 0
  #lostLoggedAt = Number.NEGATIVE_INFINITY
  #isClosing = false

  constructor(deps: WriterDeps) {
    this.#deps = deps
    this.#insertions = insertions(deps.records.dialect)
  }

  addAttempt(row: AttemptRow): void {
    if (this.#hasRoom()) this.#attempts.push(row)
  }

  addRequest(row: RequestRow): void {
    if (this.#hasRoom()) this.#requests.push(row)
  }

  /** Resolves when all rows so far are written, or could not be. */
  async flush(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined
      if (this.#waiting > 0 && !this.#isClosing) this.#schedule()
    })
    await this.#writing
  }

  /** Writes what is waiting. To be called before the database is closed. */
  async close(): Promise<void> {
    this.#isClosing = true
    this.#pause?.()
    while (this.#waiting > 0) await this.flush()
    await this.#writing
  }

  get #waiting(): number {
    return this.#attempts.length + this.#requests.length
  }

  #hasRoom(): boolean {
    if (this.#waiting < MOST_WAITING) {
      this.#schedule()
      return true
    }
    this.#lost += 1
    const now = this.#deps.clock.now()
    if (now - this.#lostLoggedAt >= LOGGED_AGAIN_AFTER_MS) {
      this.#lostLoggedAt = now
      this.#deps.onLost(this.#lost)
      this.#lost = 0
    }
    return false
  }

  #schedule(): void {
    if (this.#writing) return
    this.#timer ??= this.#deps.clock.timer(GATHERED_MS, () => void this.flush())
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting > 0)
      await this.#write({
        attempts: this.#attempts.splice(0, MOST_IN_GROUP),
        requests: this.#requests.splice(0, MOST_IN_GROUP),
      })
  }

  async #write(group: Group): Promise<void> {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        await this.#commit(group)
        return
      } catch (error) {
        if (!isAway(error)) return this.#writeHalves(group, error)
        if (this.#isClosing) return this.#deps.onLost(sizeOf(group), error)
        await this.#wait(pauseMs)
      }
    }
  }

  /** A row that cannot be written must not take others with it. */
  async #writeHalves(group: Group, error: unknown): Promise<void> {
    if (sizeOf(group) <= 1) return this.#deps.onLost(sizeOf(group), error)
    const { attempts, requests } = group
    const [a, r] = [Math.ceil(attempts.length / 2), Math.floor(requests.length / 2)]
    await this.#write({ attempts: attempts.slice(0, a), requests: requests.slice(0, r) })
    await this.#write({ attempts: attempts.slice(a), requests: requests.slice(r) })
  }

  /** Rows and their sums in one transaction, which fails where one of the rows was written before. */
  async #commit(group: Group): Promise<void> {
    const { records } = this.#deps
    for (let rest = group; sizeOf(rest) > 0; ) {
      const { attempts, requests } = rest
      const { attempts: ofAttempts, requests: ofRequests, rollups } = this.#insertions
      const isWritten = await records.writeTogether(() => [
        ...(attempts.length > 0 ? [{ ...ofAttempts(attempts), mustChange: attempts.length }] : []),
        ...(requests.length > 0 ? [{ ...ofRequests(requests), mustChange: requests.length }] : []),
        rollups(rollupOf(attempts, requests)),
      ])
      if (isWritten) return
      const unwritten = {
        attempts: await this.#unwritten('ledger_attempts', attempts),
        requests: await this.#unwritten('ledger_requests', requests),
      }
      if (sizeOf(unwritten) === sizeOf(rest)) throw new Error('The rows of the ledger conflict with none.')
      rest = unwritten
    }
  }

  /** The rows that the table does not have yet, each once. */
  async #unwritten<Row extends AttemptRow | RequestRow>(
    table: 'ledger_attempts' | 'ledger_requests',
    rows: readonly Row[],
  ): Promise<readonly Row[]> {
    const byId = new Map(rows.map(row => [String(row.id), row]))
    const ids = [...byId.keys()]
    if (ids.length === 0) return []
    const found = await this.#deps.records.read(db =>
      db.selectFrom(table).select('id').where('id', 'in', ids).execute(),
    )
    for (const { id } of found) byId.delete(id)
    return [...byId.values()]
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise(resolve => {
      const timer = this.#deps.clock.timer(delayMs, resolve)
      this.#pause = () => {
        timer.cancel()
        resolve()
      }
    })
  }
}
