import type { Clock } from '../../clock.ts'
import { GatewayError } from '../../errors.ts'
import { shortReasonOf } from './fault.ts'

/** Reading may work where writing does not: a full disk, a standby. */
export type RecordsPath = 'read' | 'write'

export type RecordsMonitorDeps = Readonly<{
  clock: Clock
  /** Called once when the records begin to fail. */
  onLost: (error: GatewayError) => void
  /** Called once when they work again. */
  onBack: () => void
}>

/** A success so soon after a failure may be luck: what fails now and then is failing. */
const STABLE_MS = 2_000

type Failing = Readonly<{ reason: string; at: number }>

const WORDS = { read: 'reading', write: 'writing' } as const

/** Whether the records can be read and written, judged by every operation on them. */
export class RecordsMonitor {
  readonly #deps: RecordsMonitorDeps
  readonly #failing = new Map<RecordsPath, Failing>()

  constructor(parts: RecordsMonitorDeps) {
    this.#deps = parts
  }

  /** What fails and why, in a few words without names; absent while all is well. */
  get failure(): string | undefined {
    if (this.#failing.size === 0) return undefined
    return [...this.#failing].map(([path, { reason }]) => `${WORDS[path]} fails (${reason})`).join(', ')
  }

  /** Takes down how an operation ended; `error` is absent where it went well. */
  readonly ended = (path: RecordsPath, error?: unknown): void => {
    const now = this.#deps.clock.now()
    if (error instanceof GatewayError && error.code === 'STORE_UNAVAILABLE') {
      const isFirst = this.#failing.size === 0
      this.#failing.set(path, { reason: shortReasonOf(error), at: now })
      if (isFirst) this.#deps.onLost(error)
      return
    }
    const failing = this.#failing.get(path)
    if (error !== undefined || !failing || now - failing.at < STABLE_MS) return
    this.#failing.delete(path)
    if (this.#failing.size === 0) this.#deps.onBack()
  }
}
