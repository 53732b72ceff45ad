import { type Clock, sleep } from '../clock.ts'
import { type ServiceRate, ToolFailure } from './types.ts'

/** Counts requests over sliding windows, of all gateways where they share a Redis. */
type Counter = Readonly<{
  take: (
    buckets: readonly Readonly<{ key: string; limit: number; windowMs: number }>[],
    cost: number,
    now: number,
  ) => Promise<readonly Readonly<{ allowed: boolean; waitMs: number }>[]>
}>

export type RateGateDeps = Readonly<{ counter: Counter; clock: Clock }>

/** Lets requests to each service through at its rate, in the order in which they came. */
export class RateGate {
  readonly #deps: RateGateDeps
  /** Settles when the last request of a service has been let through. */
  readonly #last = new Map<string, Promise<void>>()

  constructor(deps: RateGateDeps) {
    this.#deps = deps
  }

  /**
   * Resolves when a request may be sent.
   *
   * @param until clock time, milliseconds, after which it is of no use
   * @throws ToolFailure `busy` where it would have to wait longer
   */
  pass(service: string, rate: ServiceRate, until: number, signal: AbortSignal): Promise<void> {
    const before = this.#last.get(service) ?? Promise.resolve()
    const passed = before.then(() => this.#take(service, rate, until, signal))
    this.#last.set(
      service,
      passed.catch(() => {}),
    )
    return passed
  }

  async #take(
    service: string,
    { limit, windowMs }: ServiceRate,
    until: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { counter, clock } = this.#deps
    for (;;) {
      signal.throwIfAborted()
      const now = clock.now()
      const [taking] = await counter.take([{ key: `tool ${service}`, limit, windowMs }], 1, now)
      if (!taking || taking.allowed) return
      const waitMs = Math.max(1, taking.waitMs)
      if (now + waitMs > until)
        throw new ToolFailure('busy', 'The service has too many requests to wait for.')
      await sleep(clock, waitMs, signal)
    }
  }
}
