import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import type { ActiveRequests } from '../http/active-requests.ts'
import type { Logger } from '../observability/logger.ts'

/** `draining`: asked to stop, still serving; `closed`: new requests are refused. */
export type LifecycleState = 'serving' | 'draining' | 'closed'

const FAREWELL_MS = 1_000
const LONGEST_NOTICE_MS = 5_000
const SHARE_OF_NOTICE = 5
/** How long stores may take to close. */
const CLOSING_MS = 2_000

const noticeOf = (graceMs: number): number => Math.min(LONGEST_NOTICE_MS, graceMs / SHARE_OF_NOTICE)

/** The gateway's lifecycle from serving to stopped. */
export class Lifecycle {
  readonly #activeRequests: ActiveRequests
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #stores: (() => Promise<void>)[] = []
  #state: LifecycleState = 'serving'

  constructor(activeRequests: ActiveRequests, clock: Clock, logger: Logger) {
    this.#activeRequests = activeRequests
    this.#clock = clock
    this.#logger = logger
  }

  get state(): LifecycleState {
    return this.#state
  }

  /** Registers a store to be closed at the end, when nothing uses it any more. */
  closeAtEnd(close: () => Promise<void>): void {
    this.#stores.push(close)
  }

  /**
   * Stops gently: not ready from now on; still open for a fifth of the grace (5 s at most), until load
   * balancers have noticed; then closed to new requests; at the end of the grace period the remaining ones are aborted
   * with SHUTTING_DOWN, which streams get as their last event.
   *
   * @param graceMs how long all this may take
   * @param close called when no new connections should be taken
   * @param noticeMs overrides how long load balancers get to notice
   * @returns when the last request has ended and had time to be sent
   */
  async stop(graceMs: number, close: () => void, noticeMs = noticeOf(graceMs)): Promise<void> {
    if (this.#state !== 'serving') return
    this.#state = 'draining'
    this.#logger.info({ openRequests: this.#activeRequests.count, graceSeconds: graceMs / 1000 }, 'stopping')
    await this.#wait(noticeMs)
    this.#state = 'closed'
    this.#activeRequests.close()
    close()
    await Promise.race([this.#activeRequests.none(), this.#wait(graceMs - noticeMs)])
    if (this.#activeRequests.count > 0) {
      this.#logger.warn({ openRequests: this.#activeRequests.count }, 'aborting the remaining requests')
      const none = this.#activeRequests.none()
      await this.#activeRequests.abortAll(new GatewayError('SHUTTING_DOWN'))
      await Promise.race([none, this.#wait(FAREWELL_MS)])
    }
    // A request has ended when its last byte was passed to the server, which may not have sent it yet.
    await this.#wait(FAREWELL_MS)
    await Promise.race([Promise.all(this.#stores.map(close => this.#close(close))), this.#wait(CLOSING_MS)])
    this.#logger.info('stopped')
  }

  async #close(close: () => Promise<void>): Promise<void> {
    await close().catch(err => this.#logger.warn({ err }, 'a store could not be closed'))
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise(resolve => this.#clock.timer(delayMs, resolve))
  }
}
