import type { Clock, Timer } from '../clock.ts'
import type { Depth } from './types.ts'

const LOOK_MS = 5_000

/** What was last seen of the records and of the queue in them. */
export type BatchSeen = Readonly<{
  depth: Depth | undefined
  latencyMs: number | undefined
  /** Why they could not be looked at; absent where they could. */
  failure?: string
}>

/** Looks at the queue every few seconds, so that health and metrics need not wait for a database. */
export class Overview {
  readonly #look: () => Promise<Depth>
  readonly #clock: Clock
  readonly #timer: Timer
  #seen: BatchSeen = { depth: undefined, latencyMs: undefined }

  constructor(look: () => Promise<Depth>, clock: Clock) {
    this.#look = look
    this.#clock = clock
    this.#timer = clock.timer(LOOK_MS, () => void this.look())
  }

  get seen(): BatchSeen {
    return this.#seen
  }

  async look(): Promise<void> {
    const askedAt = this.#clock.now()
    try {
      const depth = await this.#look()
      this.#seen = { depth, latencyMs: this.#clock.now() - askedAt }
    } catch (error) {
      const failure = error instanceof Error ? error.message : 'they fail'
      this.#seen = { ...this.#seen, failure }
    }
    this.#timer.refresh()
  }
}
