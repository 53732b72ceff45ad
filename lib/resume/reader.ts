import type { Transcript } from './transcript.ts'

type Step = IteratorResult<Uint8Array>

const OVER: Step = { done: true, value: undefined }

/**
 * Reads a transcript from a position on: all that is there at once, then live, to its end. It is no generator, so
 * that leaving it unread, or while it waits, is seen at once.
 */
export class Reader implements AsyncIterableIterator<Uint8Array> {
  readonly #transcript: Transcript
  readonly #client: AbortSignal
  readonly #onDetach: () => void
  #position: number
  #reading = true
  #wake = (): void => {}

  /**
   * @param client aborts when who reads has gone
   * @param onDetach called once, when it has read to the end or has been left
   */
  constructor(transcript: Transcript, position: number, client: AbortSignal, onDetach: () => void) {
    this.#transcript = transcript
    this.#position = position
    this.#client = client
    this.#onDetach = onDetach
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
      else await this.#change()
    }
    return OVER
  }

  async return(): Promise<Step> {
    this.#leave()
    return OVER
  }

  /** Resolves when there is more, or when it is left. A promise of its own for each wait: one that lasted as long as
   * the reader would gather what waits for it. */
  #change(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    void this.#transcript.isTooLarge().then(resolve)
    return promise
  }

  readonly #leave = (): void => {
    if (!this.#reading) return
    this.#reading = false
    this.#client.removeEventListener('abort', this.#leave)
    this.#wake()
    this.#onDetach()
  }
}
