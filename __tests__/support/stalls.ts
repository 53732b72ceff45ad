import { monitorEventLoopDelay } from 'node:perf_hooks'

/**
 * How long this machine has kept a ready process waiting, at worst, since `start`. A shared machine may take its
 * processor away for longer than what is being timed takes: that is not the gateway's doing.
 */
export class Stalls {
  readonly #delay = monitorEventLoopDelay({ resolution: 5 })

  start(): this {
    this.#delay.reset()
    this.#delay.enable()
    return this
  }

  /** Milliseconds. */
  get worst(): number {
    return this.#delay.max / 1e6
  }
}
