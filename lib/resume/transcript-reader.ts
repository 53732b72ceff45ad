import type { Transcript } from './transcript.ts'

type Step = IteratorResult<Uint8Array>

const OVER: Step = { done: true, value: undefined }

/**
 * Reads a transcript from a position on: existing frames at once, then live, to its end. It is not a generator, so that
 * closing it unread, or while it waits, is detected at once.
 */
export class TranscriptReader implements AsyncIterableIterator<Uint8Array> {
  readonly #transcript: Transcript
  readonly #client: AbortSignal
  readonly #onDetach: () => void
  #position: number
  #reading = true
  #wake = (): void => {}

  /**
   * @param client aborts when the reader has disconnected
   * @param onDetach called once, when it has read to the end or was closed
   */
  constructor(transcript: Transcript, position: number, client: AbortSignal, onDetach: () => void) {
    this.#transcript = transcript
    this.#position = position
    this.#client = client
    this.#onDetach = onDetach
    if (client.aborted) this.#leave()
    else client.addEventListener('abort', this.#leave, { once: true })
  }

  /** Whether the end is among what it has read. */
  get hasReadAll(): boolean {
    return this.#transcript.ended && this.#position === this.#transcript.length
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

  /**
   * Resolves when there is more, or when it is closed. A promise of its own for each wait: a promise as long-lived as
   * the reader would accumulate reactions.
   */
  #change(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    void this.#transcript.nextChange().then(resolve)
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
