import type { Clock, Timer } from '../clock.ts'
import type { Depth } from './types.ts'

const REFRESH_MS = 5_000

/** The last known state of the database and of the queue in it. */
export type BatchStatus = Readonly<{
  depth: Depth | undefined
  latencyMs: number | undefined
  /** Why the database could not be read; absent when it could. */
  failure?: string
}>

/** Reads the queue's figures every few seconds, so that health and metrics do not wait for the database. */
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
