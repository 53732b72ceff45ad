import type { Clock } from '../../clock.ts'
import { GatewayError } from '../../errors.ts'
import { shortReasonOf } from './fault.ts'

/** Reads may succeed where writes fail: a full disk, a standby. */
export type RecordsPath = 'read' | 'write'

export type RecordsMonitorDeps = Readonly<{
  clock: Clock
  /** Called once when operations begin to fail. */
  onLost: (error: GatewayError) => void
  /** Called once when they succeed again. */
  onBack: () => void
}>

/** A success so soon after a failure may be luck: intermittent failures count as failing. */
const STABLE_MS = 2_000

type Failing = Readonly<{ reason: string; at: number }>

const WORDS = { read: 'reading', write: 'writing' } as const

/** Whether the database is readable and writable, from the outcome of every operation. */
export class RecordsMonitor {
  readonly #deps: RecordsMonitorDeps
  readonly #failing = new Map<RecordsPath, Failing>()
  /** When operations last began to succeed again. */
  #backAt = Number.NEGATIVE_INFINITY

  constructor(parts: RecordsMonitorDeps) {
    this.#deps = parts
  }

  /** The failing operation and a short reason without names; absent while all succeed. */
  get failure(): string | undefined {
    if (this.#failing.size === 0) return undefined
    return [...this.#failing].map(([path, { reason }]) => `${WORDS[path]} fails (${reason})`).join(', ')
  }

  /** Records how an operation ended, and how long it took; `error` is absent on success. */
  readonly ended = (path: RecordsPath, tookMs: number, error?: unknown): void => {
    const now = this.#deps.clock.now()
    // The failure of one that began before the database was back says nothing of its state now.
    if (error !== undefined && now - tookMs < this.#backAt) return
    if (error instanceof GatewayError && error.code === 'STORE_UNAVAILABLE') {
      const isFirst = this.#failing.size === 0
      this.#failing.set(path, { reason: shortReasonOf(error), at: now })
      if (isFirst) this.#deps.onLost(error)
      return
    }
    const failing = this.#failing.get(path)
    if (error !== undefined || !failing || now - failing.at < STABLE_MS) return
    this.#failing.delete(path)
    if (this.#failing.size > 0) return
    this.#backAt = now
    this.#deps.onBack()
  }
}
