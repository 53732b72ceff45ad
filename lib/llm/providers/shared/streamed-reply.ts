import type { GatewayError } from '../../../errors.ts'
import { turn } from '../../../loop-turns.ts'
import { type SseEvent, SseParser } from '../../../sse-parser.ts'
import { addedText } from '../../events.ts'
import type { EventGroup, Reply, ReplyEvent, ReplyHead, Usage } from '../../types.ts'
import type { ResponseBody } from './body.ts'
import { parseObject } from './lenient.ts'
import type { MalformedResponse } from './malformed.ts'
import { finishEvent, type ReplyPart } from './reply-part.ts'
import { isEndMark, isTruncated } from './stream-event.ts'
import { malformedResponse } from './upstream-error.ts'
import { isReported, mergedUsage, type ReportedUsage, usageOf } from './usage.ts'

export type StreamedReplyOptions = Readonly<{
  head: ReplyHead
  body: ResponseBody
  signal: AbortSignal
  /** Never throws. */
  translate: (event: SseEvent) => ReplyPart
  /** Called for each ignored event. */
  onIgnored: () => void
  /** The caller's error for a failure while reading the body. */
  errorOf: (thrown: unknown) => GatewayError
  /** The error for a body that ends within the answer. */
  truncatedError: () => MalformedResponse
  /** Called with the reported usage of a stream that fails before its first content. */
  onFailedUsage?: (usage: Usage) => void
  /** The estimate when the stream ends before the provider's count arrives. */
  estimatedInputTokens: () => number
}>

const MAX_TRAILING_CHUNKS = 16
/** Most bytes of an event, which may hold an image, or a whole document that a tool has read. */
const LONGEST_EVENT = 16 * 1024 * 1024

/**
 * Reads an upstream's event stream as reply events, pulling only on demand, so that a slow reader slows the upstream.
 * It is complete with the protocol's end mark, or when its body ends cleanly after the finish reasons of all its choices; a
 * stream that stops before either is a failure.
 */
class StreamedEvents implements AsyncIterableIterator<EventGroup> {
  readonly #options: StreamedReplyOptions
  readonly #parser = new SseParser(LONGEST_EVENT)
  readonly #usage = Promise.withResolvers<Usage>()
  #reported: ReportedUsage | undefined
  #finish: ReplyPart['finish']
  #areOthersOpen = false
  #refused = false
  #producedBytes = 0
  #hasContent = false
  #waiting: EventGroup | undefined
  #reading = false
  #isComplete = false
  #closed = false

  constructor(options: StreamedReplyOptions) {
    this.#options = options
    options.signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  get usage(): Promise<Usage> {
    return this.#usage.promise
  }

  /** Waits for the first content; throws when a failure arrives instead. */
  async open(): Promise<void> {
    const events = await this.#read()
    const error = this.#hasContent ? undefined : events.find(event => event.type === 'error')
    if (error && isReported(this.#reported)) this.#options.onFailedUsage?.(await this.usage)
    if (error) throw error.error
    this.#waiting = events
  }

  async next(): Promise<IteratorResult<EventGroup>> {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting) return { done: false, value: waiting }
    if (this.#closed) return { done: true, value: undefined }
    return { done: false, value: await this.#read() }
  }

  async return(): Promise<IteratorResult<EventGroup>> {
    this.#waiting = undefined
    if (!this.#closed) this.#cancel()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator]() {
    return this
  }

  async #read(): Promise<EventGroup> {
    this.#reading = true
    let held: EventGroup = []
    try {
      for (;;) {
        const step = await this.#options.body.next()
        if (step.done) return [...held, ...this.#endOfBody()]
        // Thousands of streams may continue in the same moment.
        const wait = turn()
        if (wait) await wait
        const arrived = this.#translate(this.#parser.push(step.value))
        const events = held.length === 0 ? arrived : [...held, ...arrived]
        // Until there is content another model may still answer.
        if (events.length > 0 && (this.#hasContent || this.#closed)) return events
        held = events
      }
    } catch (thrown) {
      return this.#fail([], this.#options.errorOf(thrown))
    } finally {
      this.#reading = false
    }
  }

  /**
   * The last event may lack its blank line; it counts where it is whole nevertheless. A truncated one is a broken
   * stream.
   */
  #endOfBody(): EventGroup {
    const last = this.#parser.end()
    const data = last?.data ?? ''
    const isWhole = isEndMark(data) || parseObject(data) !== undefined
    const events = last && isWhole ? this.#translate([last]) : []
    if (this.#closed) return events
    if (this.#isFinished && (isWhole || !isTruncated(data))) return this.#end([...events])
    return this.#fail(events, this.#options.errorOf(this.#options.truncatedError()))
  }

  #translate(arrived: readonly SseEvent[]): EventGroup {
    const events: ReplyEvent[] = []
    for (const one of arrived) {
      const part = this.#options.translate(one)
      if (part.events) this.#produce(part.events, events)
      this.#producedBytes += part.otherTextBytes ?? 0
      this.#finish = part.finish ?? this.#finish
      this.#areOthersOpen = part.areOthersOpen ?? this.#areOthersOpen
      this.#reported = mergedUsage(this.#reported, part.usage)
      if (part.ignored) this.#options.onIgnored()
      if (part.error) return this.#fail(events, part.error)
      if (part.end) return this.#end(events)
    }
    return events
  }

  #produce(produced: readonly ReplyEvent[], events: ReplyEvent[]): void {
    for (const event of produced) {
      events.push(event)
      this.#producedBytes += Buffer.byteLength(addedText(event))
      if (event.type === 'refusal-delta') this.#refused = true
      if (event.type !== 'wire' || event.isContent) this.#hasContent = true
    }
  }

  #end(events: ReplyEvent[]): EventGroup {
    const finish = finishEvent({
      finish: this.#finish,
      refused: this.#refused,
      hasContent: this.#hasContent,
    })
    if (!finish) return this.#fail(events, malformedResponse(this.#provider, 'missing finish reason'))
    this.#isComplete = true
    this.#close()
    void this.#drain()
    return [...events, finish]
  }

  #fail(events: EventGroup, error: GatewayError): EventGroup {
    this.#cancel()
    return [...events, { type: 'error', error }]
  }

  #cancel(): void {
    this.#close()
    this.#options.body.destroy()
  }

  #close(): void {
    this.#closed = true
    this.#options.signal.removeEventListener('abort', this.#onAbort)
    this.#usage.resolve(
      usageOf(this.#reported, {
        textBytes: this.#producedBytes,
        isComplete: this.#isComplete || this.#isFinished,
        estimatedInputTokens: this.#options.estimatedInputTokens,
      }),
    )
  }

  /** Reads any data after the end mark, so that the connection can serve the next call. */
  async #drain(): Promise<void> {
    try {
      for (let chunks = 0; chunks < MAX_TRAILING_CHUNKS; chunks += 1) {
        if ((await this.#options.body.next()).done) return
      }
      this.#options.body.destroy()
    } catch {
      // The answer is complete: a connection that breaks now is merely not used again.
    }
  }

  /** A waiting reader gets the reason from `#read`; otherwise it is stored for the next one. */
  readonly #onAbort = (): void => {
    this.#options.body.destroy()
    if (this.#reading) return
    const error = this.#options.errorOf(this.#options.signal.reason)
    this.#waiting = [...(this.#waiting ?? []), { type: 'error', error }]
    this.#close()
  }

  /** Every answer to the call that has begun has a finish reason. */
  get #isFinished(): boolean {
    return this.#finish !== undefined && !this.#areOthersOpen
  }

  get #provider(): string {
    return this.#options.head.target.provider
  }
}

/** A reply over an upstream's event stream; resolves when its first content is available. */
export const streamedReply = async (options: StreamedReplyOptions): Promise<Reply> => {
  const events = new StreamedEvents(options)
  await events.open()
  return { head: options.head, usage: events.usage, events }
}
