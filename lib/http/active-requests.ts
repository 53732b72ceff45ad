import { GatewayError } from '../errors.ts'
import { turn } from '../loop-turns.ts'

/** A request in progress. */
export type ActiveRequest = Readonly<{
  signal: AbortSignal
  /** Aborts all work for this request. */
  abort: (reason: GatewayError) => void
  /** From now on it continues when its client disconnects. */
  surviveDisconnect: () => void
  /** Ends it; where a `record` is given, only after that has settled. A stopping gateway waits for the last one. */
  close: (record?: Promise<void>) => void
}>

/** All requests in progress, so that a stopping gateway can wait for them, and finally abort them. */
export class ActiveRequests {
  readonly #controllers = new Set<AbortController>()
  #whenNone = Promise.withResolvers<void>()
  #isClosed = false

  get count(): number {
    return this.#controllers.size
  }

  /** True once new requests are refused. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /** From now on new requests are refused. */
  close(): void {
    this.#isClosed = true
  }

  /** @param client aborts when the client has disconnected. */
  open(client: AbortSignal): ActiveRequest {
    const controller = new AbortController()
    const disconnect = () => controller.abort(new GatewayError('CLIENT_GONE'))
    const surviveDisconnect = () => client.removeEventListener('abort', disconnect)
    if (client.aborted) disconnect()
    else client.addEventListener('abort', disconnect, { once: true })
    this.#controllers.add(controller)
    const remove = () => {
      this.#controllers.delete(controller)
      if (this.count === 0) this.#whenNone.resolve()
    }
    return {
      signal: controller.signal,
      abort: reason => controller.abort(reason),
      surviveDisconnect,
      close: record => {
        surviveDisconnect()
        if (record) void record.then(remove, remove)
        else remove()
      },
    }
  }

  /** Resolves as soon as no request is open. */
  none(): Promise<void> {
    if (this.count === 0) return Promise.resolve()
    this.#whenNone = Promise.withResolvers<void>()
    return this.#whenNone.promise
  }

  async abortAll(reason: GatewayError): Promise<void> {
    for (const controller of this.#controllers) {
      await turn()
      controller.abort(reason)
    }
  }
}
