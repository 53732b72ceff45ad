const FRAME_END = '\n\n'
const FIRST_BYTES = 2_048
const NOTHING_MORE = Promise.resolve()

/**
 * An append-only log of the frames of one event stream, which any number of readers read at their own speed.
 * Each frame carries its number as `id:`, counted from 1. Frames are held as the bytes that are sent, once for
 * all readers; those bytes never change, so readers are given views of them.
 */
export class Transcript {
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES)
  #length = 0
  /** Where each frame ends. */
  readonly #ends: number[] = []
  #ended = false
  #growth: PromiseWithResolvers<void> | undefined

  /** Bytes written so far. */
  get length(): number {
    return this.#length
  }

  /** Bytes of memory it holds. */
  get size(): number {
    return this.#bytes.length + this.#ends.length * Float64Array.BYTES_PER_ELEMENT
  }

  get ended(): boolean {
    return this.#ended
  }

  /** The number of the last frame; 0 where there is none yet. */
  get last(): number {
    return this.#ends.length
  }

  /** @param frames one or several whole frames; each ends with an empty line and holds no other. */
  append(frames: string): void {
    for (const frame of this.#numbered(frames)) this.#write(frame)
    this.#notify()
  }

  /** All bytes as they would be with these frames, which no reader gets yet. */
  with(frames: string): Uint8Array {
    return Buffer.concat([this.from(0), Buffer.from(this.#numbered(frames).join(''))])
  }

  /** Marks the end, once. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    const exact = Buffer.allocUnsafeSlow(this.#length)
    this.#bytes.copy(exact, 0, 0, this.#length)
    this.#bytes = exact
    this.#notify()
  }

  /** The position after a frame, to continue reading from; 0 for frame 0. There must be such a frame. */
  positionAfter(frame: number): number {
    return this.#ends[frame - 1] ?? 0
  }

  /** The frames after a position. */
  from(position: number): Uint8Array {
    return this.#bytes.subarray(position, this.#length)
  }

  /** Resolves when more has arrived, or the end. */
  nextChange(): Promise<void> {
    if (this.#ended) return NOTHING_MORE
    this.#growth ??= Promise.withResolvers()
    return this.#growth.promise
  }

  #numbered(frames: string): readonly string[] {
    const numbered: string[] = []
    let from = 0
    for (let end = frames.indexOf(FRAME_END); end !== -1; end = frames.indexOf(FRAME_END, from)) {
      const next = end + FRAME_END.length
      numbered.push(`id: ${this.last + numbered.length + 1}\n${frames.slice(from, next)}`)
      from = next
    }
    return numbered
  }

  #write(frame: string): void {
    const length = this.#length + Buffer.byteLength(frame)
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, this.#bytes.length * 2))
      this.#bytes.copy(larger, 0, 0, this.#length)
      this.#bytes = larger
    }
    this.#bytes.write(frame, this.#length)
    this.#length = length
    this.#ends.push(length)
  }

  #notify(): void {
    this.#growth?.resolve()
    this.#growth = undefined
  }
}
