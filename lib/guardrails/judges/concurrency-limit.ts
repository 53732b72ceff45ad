import { ToolFailure } from '../../tools/types.ts'

/** Bounds the requests in progress to one service; more wait in order of arrival, up to a bound as well. */
export class ConcurrencyLimit {
  readonly #most: number
  readonly #mostWaiting: number
  readonly #waiting = new Set<() => void>()
  #inProgress = 0

  constructor(most: number, mostWaiting: number) {
    this.#most = most
    this.#mostWaiting = mostWaiting
  }

  /** Resolves to what ends the use. Rejects with a ToolFailure `busy`, or with the signal's reason. */
  async enter(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted()
    if (this.#inProgress < this.#most) this.#inProgress += 1
    else await this.#turn(signal)
    return () => {
      const [next] = this.#waiting
      if (next) next()
      else this.#inProgress -= 1
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    if (this.#waiting.size >= this.#mostWaiting) throw new ToolFailure('busy', 'The service is busy.')
    return new Promise((resolve, reject) => {
      const stop = () => {
        this.#waiting.delete(admit)
        signal.removeEventListener('abort', onAbort)
      }
      const admit = () => {
        stop()
        resolve()
      }
      const onAbort = () => {
        stop()
        reject(signal.reason)
      }
      this.#waiting.add(admit)
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }
}
