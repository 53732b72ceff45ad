import type { Transcript } from './transcript.ts'

type Step = IteratorResult<Uint8Array>

const OVER: Step = { done: true, value: undefined }

/**
 * Reads a transcript from a position on: all that is there at once, then live, to its end. It is no generator, so
 * that leaving it unread, or while it waits, is seen at once.
 */
export class Reader implements AsyncIterableIterator<Uint8Array> {
  readonly #transcript: Transcript
  readonly #left = Promise.withResolvers<void>()
  readonly #client: AbortSignal
  readonly #onLeave: () => void
  #position: number
  #reading = true

  /**
   * @param client aborts when who reads has gone
   * @param onLeave called once, when it has read to the end or has been left
   */
  constructor(transcript: Transcript, position: number, client: AbortSignal, onLeave: () => void) {
    this.#transcript = transcript
    this.#position = position
    this.#client = client
    this.#onLeave = onLeave
    if (client.aborted) this.#leave()
    else client.addEventListener('abort', this.#leave, { once: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<Step> {
    while (this.#reading) {
      const bytes = this.#transcript.from(this.#position)
      if (bytes.length > 0) {
        this.#position += bytes.length
        return { done: false, value: bytes }
      }
      if (this.#transcript.ended) this.#leave()
      else await Promise.race([this.#transcript.grown(), this.#left.promise])
    }
    return OVER
  }

  async return(): Promise<Step> {
    this.#leave()
    return OVER
  }

  readonly #leave = (): void => {
    if (!this.#reading) return
    this.#reading = false
    this.#client.removeEventListener('abort', this.#leave)
    this.#left.resolve()
    this.#onLeave()
  }
}
