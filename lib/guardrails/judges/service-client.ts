import type { Clock } from '../../clock.ts'
import type { Circuit, Permit } from '../../resilience/breaker/circuit.ts'
import type { ServiceClient } from '../../tools/service-fetch.ts'
import { SharedRuns } from '../../tools/shared-runs.ts'
import { ToolFailure } from '../../tools/types.ts'
import type { PlacedText } from '../types.ts'
import { ConcurrencyLimit } from './concurrency-limit.ts'
import type { Finding, JudgeService } from './types.ts'

/** The longest answer. */
const MOST_BYTES = 262_144
const MOST_WAITING = 256
/** The cooldown of a busy service that does not say how long it lasts. */
const COOLDOWN_MS = 5_000

export type KeyedPiece = Readonly<{ key: string; piece: PlacedText }>

export type JudgeClientDeps = Readonly<{
  client: Pick<ServiceClient, 'fetch'>
  circuit: Circuit
  clock: Clock
  /** Requests in progress at once. */
  concurrency: number
}>

type Found = readonly (readonly Finding[])[]

/** The error of a judge that is not asked for now. */
const circuitOpen = (): ToolFailure => new ToolFailure('unavailable', 'The service has been failing.')

/** Asks one service: never more at once than it may get, not while it is failing, and the same question once. */
export class JudgeClient {
  readonly #service: JudgeService
  readonly #deps: JudgeClientDeps
  readonly #limit: ConcurrencyLimit
  readonly #shared = new SharedRuns<Found>()

  constructor(service: JudgeService, deps: JudgeClientDeps) {
    this.#service = service
    this.#deps = deps
    this.#limit = new ConcurrencyLimit(deps.concurrency, MOST_WAITING)
  }

  /**
   * The findings on pieces, as many as one request takes. Rejects with a ToolFailure, or with the signal's reason; when
   * all that wait for the same request have left, it is aborted.
   */
  ask(pieces: readonly KeyedPiece[], signal: AbortSignal): Promise<Found> {
    const key = pieces.map(one => one.key).join()
    return this.#shared.join(key, signal, runSignal =>
      this.#request(
        pieces.map(({ piece }) => piece),
        runSignal,
      ),
    )
  }

  async #request(pieces: readonly PlacedText[], signal: AbortSignal): Promise<Found> {
    const release = await this.#limit.enter(signal)
    try {
      const permit = this.#deps.circuit.enter()
      if (typeof permit === 'number') throw circuitOpen()
      return await this.#permitted(pieces, permit, signal)
    } finally {
      release()
    }
  }

  async #permitted(pieces: readonly PlacedText[], permit: Permit, signal: AbortSignal): Promise<Found> {
    try {
      const limits = { signal, mostBytes: MOST_BYTES }
      const answer = await this.#deps.client.fetch(this.#service.request(pieces), limits)
      const found = this.#service.findings(answer, pieces)
      permit.succeeded()
      return found
    } catch (error) {
      this.#record(error, permit)
      throw error
    }
  }

  /** A client that has gone is no evidence against a service, and neither is a busy one, which is not asked for a while. */
  #record(error: unknown, permit: Permit): void {
    const { circuit, clock } = this.#deps
    if (!(error instanceof ToolFailure)) permit.released()
    else if (error.reason !== 'rate-limited') permit.failed(error.reason)
    else {
      permit.released()
      circuit.openUntil(clock.now() + (error.retryAfterMs ?? COOLDOWN_MS), error.reason)
    }
  }
}
