import type { Clock, Timer } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import type { EventGroup } from '../llm/types.ts'
import { Transcript } from './transcript.ts'
import { TranscriptReader } from './transcript-reader.ts'

export type StreamDeps = Readonly<{
  id: string
  /** The owner, who may read and stop it; see `ownerOf`. */
  owner: string
  clock: Clock
  /** How long it continues without a reader. */
  graceMs: number
  /** Aborts the upstream call. */
  abort: (reason: GatewayError) => void
  /** Called once, at its end. */
  onOver: (stream: ResumableStream) => void
}>

/** Stores the bytes of a complete answer. Never rejects. */
type Store = (whole: Uint8Array) => Promise<void>

const BYTES_PER_UNIT = 2
/** Bytes of an empty one. */
const OWN_BYTES = 1_024

/**
 * One answer that outlives its connection: it is recorded as fast as it arrives, independent of readers, and continues
 * until its end, until it is stopped, or until it has been without a reader for `graceMs`.
 */
export class ResumableStream {
  readonly id: string
  readonly owner: string
  readonly #deps: StreamDeps
  readonly #transcript = new Transcript()
  #readers = 0
  #grace: Timer | undefined
  #content = ''
  #complete = false
  #isWhole = false
  #stopped = false
  #store: Store | undefined

  constructor(deps: StreamDeps) {
    this.id = deps.id
    this.owner = deps.owner
    this.#deps = deps
  }

  /** The answer's text so far. */
  get content(): string {
    return this.#content
  }

  /** Whether it was ended by `stop`. */
  get stopped(): boolean {
    return this.#stopped
  }

  /** Bytes of memory it holds. */
  get size(): number {
    return OWN_BYTES + this.#transcript.size + this.#content.length * BYTES_PER_UNIT
  }

  /** The number of the last frame so far. */
  get lastFrame(): number {
    return this.#transcript.last
  }

  /** Whether a frame is the last one. */
  endsWith(frame: number): boolean {
    return this.#transcript.ended && frame === this.#transcript.last
  }

  /** Observes the answer's events before they become frames. */
  onEvents(events: EventGroup): void {
    for (const event of events) {
      if (event.type === 'text-delta' || event.type === 'refusal-delta') this.#content += event.text
      else if (event.type === 'finish' || event.type === 'error') this.#complete = true
    }
  }

  /**
   * Records all frames as they arrive; once in a stream's life. Resolves at their end.
   * @param frames their `end`, where set, comes with the last ones
   */
  async write(
    frames: AsyncIterable<string> & Readonly<{ end?: 'complete' | 'failed' | undefined }>,
  ): Promise<void> {
    try {
      for await (const frame of frames) {
        this.#isWhole = frames.end === 'complete'
        // Without a store it ends in this same moment: one that comes later finds it complete.
        if (this.#isWhole && this.#store) await this.#store(this.#transcript.with(frame))
        this.#transcript.append(frame)
        // A reader that gets the last frame must know that it is the last one.
        if (frames.end !== undefined) this.#end()
      }
    } finally {
      this.#end()
      this.#deps.onOver(this)
    }
  }

  /**
   * Stores the answer where it is complete, before any reader can have its end; whether it has one or not. One that has
   * ended already is stored at once. Resolves when that is done.
   */
  async storeBy(store: Store): Promise<void> {
    if (!this.#transcript.ended) this.#store = store
    else if (this.#isWhole) await store(this.#transcript.from(0))
  }

  /**
   * All frames after a frame, including future ones.
   *
   * @param after 0 for all of them, at most `lastFrame`
   * @param client aborts when the reader has disconnected
   */
  read(after: number, client: AbortSignal): TranscriptReader {
    this.#readers += 1
    this.#grace?.cancel()
    return new TranscriptReader(
      this.#transcript,
      this.#transcript.positionAfter(after),
      client,
      this.#onDetach,
    )
  }

  /** Ends the answer here and aborts the upstream call. Does nothing where it is complete already. */
  stop(): void {
    if (this.#complete || this.#stopped) return
    this.#stopped = true
    this.#deps.abort(
      new GatewayError('CLIENT_GONE', 'The client stopped the answer.', { cancelsUpstream: true }),
    )
  }

  #end(): void {
    this.#complete = true
    this.#grace?.cancel()
    this.#transcript.end()
  }

  readonly #onDetach = (): void => {
    this.#readers -= 1
    if (this.#readers > 0 || this.#complete) return
    const { clock, graceMs } = this.#deps
    if (graceMs === 0) this.#abort()
    else this.#grace = clock.timer(graceMs, this.#abort)
  }

  readonly #abort = (): void => this.#deps.abort(new GatewayError('CLIENT_GONE'))
}
