import { LRUCache } from 'lru-cache'
import { type Caller, ownerOf } from '../caller.ts'
import type { Clock, Timer } from '../clock.ts'
import type { GatewayError } from '../errors.ts'
import type { Reply } from '../llm/types.ts'
import { ResumableStream } from './stream.ts'

export type StreamsOptions = Readonly<{
  clock: Clock
  newId: () => string
  /** How long a stream continues without a reader. */
  graceMs: number
  /** How long one can be read after its end. */
  keptMs: number
  /** How many may be in progress, and how many finished ones are kept. */
  most: number
  /**
   * Bytes of memory for finished ones, beyond which the least recently used are dropped; and the same for those in
   * progress, beyond which no further one is opened.
   */
  mostBytes: number
}>

/** The options of a new stream. */
export type Opening = Readonly<{
  /** The answer's own id: the stream's too, unless another stream has it already (a cached answer). */
  id: string
  owner: string
  abort: (reason: GatewayError) => void
}>

/** All streams that outlive their connection, in this process's memory: in progress, and kept for a time after. */
export class Streams {
  readonly #options: StreamsOptions
  readonly #live = new Map<string, ResumableStream>()
  readonly #kept: LRUCache<string, ResumableStream>
  #purge: Timer | undefined

  constructor(options: StreamsOptions) {
    const { clock, keptMs, most, mostBytes } = options
    this.#options = options
    this.#kept = new LRUCache({
      max: most,
      maxSize: mostBytes,
      sizeCalculation: stream => stream.size,
      ttl: keptMs,
      perf: clock,
      ttlResolution: 0,
    })
  }

  /** How many are in progress. */
  get live(): number {
    return this.#live.size
  }

  /** How many have ended and can still be read. */
  get kept(): number {
    return this.#kept.size
  }

  /** A new stream; undefined where no slot is free. */
  open({ id, owner, abort }: Opening): ResumableStream | undefined {
    const { clock, graceMs, newId } = this.#options
    if (this.#isFull()) return undefined
    const taken = this.#live.has(id) || this.#kept.has(id)
    const stream = new ResumableStream({
      id: taken ? newId() : id,
      owner,
      clock,
      graceMs,
      abort,
      onOver: this.#keep,
    })
    this.#live.set(stream.id, stream)
    return stream
  }

  /** The caller's own stream of that id. */
  find(id: string, caller: Caller): ResumableStream | undefined {
    const stream = this.#live.get(id) ?? this.#kept.get(id)
    return stream && stream.owner === ownerOf(caller) ? stream : undefined
  }

  /** The stream that was opened for a reply, while it is in progress. */
  opened({ head }: Reply): ResumableStream | undefined {
    return head.resumable ? this.#live.get(head.id) : undefined
  }

  #isFull(): boolean {
    const { most, mostBytes } = this.#options
    if (this.#live.size >= most) return true
    let bytes = 0
    for (const stream of this.#live.values()) bytes += stream.size
    return bytes > mostBytes
  }

  readonly #keep = (stream: ResumableStream): void => {
    const { clock, keptMs } = this.#options
    this.#live.delete(stream.id)
    this.#kept.set(stream.id, stream)
    this.#purge ??= clock.timer(keptMs, this.#forget)
  }

  /** Drops expired streams, even if they are never requested again. */
  readonly #forget = (): void => {
    this.#kept.purgeStale()
    if (this.#kept.size > 0) this.#purge?.refresh()
    else this.#purge = undefined
  }
}
