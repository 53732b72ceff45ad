import type { Dispatcher } from 'undici'
import type { ResponseBody } from './body.ts'

/**
 * Buffered bytes of an answer with a slow reader: beyond them data waits in the kernel, which slows the upstream. As
 * much as Node reads from a socket at once.
 */
const MOST_BYTES_AHEAD = 64 * 1024

type Step = IteratorResult<Uint8Array>
type Waiting = Readonly<{ resolve: (step: Step) => void; reject: (error: unknown) => void }>

const OVER: Step = { done: true, value: undefined }

const closed = (): Error => new Error('the body was closed')

/**
 * The bytes of a response as they come off its socket, without a stream in between, which would cost as much as all
 * else. What arrives at once is read at once: a socket's read may hold hundreds of HTTP chunks.
 */
export class UpstreamBody implements ResponseBody, AsyncIterable<Uint8Array> {
  readonly #controller: Dispatcher.DispatchController
  #chunks: Uint8Array[] = []
  #bytesAhead = 0
  #isComplete = false
  #isClosed = false
  #error: unknown
  #waiting: Waiting | undefined

  constructor(controller: Dispatcher.DispatchController) {
    this.#controller = controller
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Why the response ended before its end; undefined where it did not. */
  get errored(): unknown {
    return this.#error
  }

  /** Resolves with all bytes that have arrived. One reader at a time. Rejects with the error that broke the body. */
  next(): Promise<Step> {
    if (this.#chunks.length > 0) return Promise.resolve(this.#taken())
    if (this.#isClosed) return Promise.reject(this.#error ?? closed())
    if (this.#error !== undefined) return Promise.reject(this.#error)
    if (this.#isComplete) return Promise.resolve(OVER)
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  async return(): Promise<Step> {
    this.destroy()
    return OVER
  }

  /** Discards what has not been read, and closes the connection where more of it would come. */
  readonly destroy = (): void => this.#close(closed())

  /** Does the same for a reason, which a waiting reader gets. */
  abort(reason: unknown): void {
    this.#error ??= reason
    this.#close(reason)
  }

  /** For the socket's side: bytes that have arrived. */
  push(chunk: Uint8Array): void {
    if (this.#isClosed) return
    // Others may come with it: a reader gets them together.
    if (this.#waiting && this.#chunks.length === 0) queueMicrotask(this.#deliver)
    this.#chunks.push(chunk)
    this.#bytesAhead += chunk.length
    if (this.#bytesAhead >= MOST_BYTES_AHEAD) this.#controller.pause()
  }

  /** For the socket's side: all bytes have arrived. */
  complete(): void {
    this.#isComplete = true
    if (this.#chunks.length === 0) this.#settle(({ resolve }) => resolve(OVER))
  }

  /** For the socket's side: no more bytes will arrive. */
  fail(error: unknown): void {
    if (this.#isComplete || this.#isClosed) return
    this.#error = error
    if (this.#chunks.length === 0) this.#settle(({ reject }) => reject(error))
  }

  #close(reason: unknown): void {
    this.#isClosed = true
    this.#chunks = []
    if (!this.#isComplete) this.#controller.abort(reason as Error)
    this.#settle(({ reject }) => reject(reason))
  }

  readonly #deliver = (): void => {
    if (this.#chunks.length > 0) this.#settle(({ resolve }) => resolve(this.#taken()))
  }

  #settle(settle: (waiting: Waiting) => void): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting) settle(waiting)
  }

  #taken(): Step {
    const [first, ...others] = this.#chunks
    const bytes = first && others.length === 0 ? first : Buffer.concat(this.#chunks, this.#bytesAhead)
    this.#chunks = []
    this.#bytesAhead = 0
    // May push at once what has waited.
    this.#controller.resume()
    return { done: false, value: bytes }
  }
}
