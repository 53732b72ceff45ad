import type { Clock, Timer } from '../clock.ts'
import type { Depth } from './types.ts'

const REFRESH_MS = 5_000

/** What was last seen of the records and of the queue in them. */
export type BatchStatus = Readonly<{
  depth: Depth | undefined
  latencyMs: number | undefined
  /** Why they could not be looked at; absent where they could. */
  failure?: string
}>

/** Looks at the queue every few seconds, so that health and metrics need not wait for a database. */
export class Overview {
  readonly #refresh: () => Promise<Depth>
  readonly #clock: Clock
  readonly #timer: Timer
  #status: BatchStatus = { depth: undefined, latencyMs: undefined }

  constructor(refresh: () => Promise<Depth>, clock: Clock) {
    this.#refresh = refresh
    this.#clock = clock
    this.#timer = clock.timer(REFRESH_MS, () => void this.refresh())
  }

  get status(): BatchStatus {
    return this.#status
  }

  async refresh(): Promise<void> {
    const askedAt = this.#clock.now()
    try {
      const depth = await this.#refresh()
      this.#status = { depth, latencyMs: this.#clock.now() - askedAt }
    } catch (error) {
      const failure = error instanceof Error ? error.message : 'they fail'
      this.#status = { ...this.#status, failure }
    }
    this.#timer.refresh()
  }
}
