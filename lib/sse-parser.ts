/** One dispatched event; `event` is empty where the stream names none. */
export type SseEvent = Readonly<{ event: string; data: string }>

/** An event outgrew the parser's bound. */
export class SseEventTooLarge extends Error {
  override readonly name = 'SseEventTooLarge'
}

const ONE_MEBIBYTE = 1024 * 1024
const [LINE_FEED, CARRIAGE_RETURN] = [0x0a, 0x0d]

/** How many bytes follow a chunk's last line end: all of them where it has none. */
const bytesOfLastLine = (chunk: Uint8Array): number => {
  let from = chunk.length
  while (from > 0 && chunk[from - 1] !== LINE_FEED && chunk[from - 1] !== CARRIAGE_RETURN) from -= 1
  return chunk.length - from
}

/**
 * Parses a `text/event-stream` from arbitrary chunks: CR, LF and CRLF line ends, a leading byte order
 * mark, UTF-8 split between chunks, comments, `data` of several lines. `push` never returns an event that the stream's
 * end truncates. `retry` is ignored.
 *
 * Source: WHATWG HTML, 9.2.6 "Interpreting an event stream".
 */
export class SseParser {
  // Node's own decoder removes two byte order marks where the first one arrives in pieces.
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  #hasBegun = false
  readonly #maxEventBytes: number
  #line = ''
  /** Received of the incomplete line. */
  #lineBytes = 0
  /** Received since the incomplete event's data began, at most. */
  #dataBytes = 0
  #event = ''
  #data: string | undefined
  #id = ''
  #lastEventId = ''
  #afterCarriageReturn = false

  /** @param maxEventBytes longest line or event; beyond it `push` throws SseEventTooLarge. */
  constructor(maxEventBytes = ONE_MEBIBYTE) {
    this.#maxEventBytes = maxEventBytes
  }

  /** The Last-Event-ID for reconnecting: the newest `id` before a whole event's end; empty without one. */
  get lastEventId(): string {
    return this.#lastEventId
  }

  /** Takes the next chunk and returns the events it completes. */
  push(chunk: Uint8Array): SseEvent[] {
    const text = this.#decoder.decode(chunk, { stream: true })
    const events: SseEvent[] = []
    if (text === '') return events
    let start = this.#leftOver(text)
    let carriageReturn = text.indexOf('\r', start)
    for (;;) {
      const lineFeed = text.indexOf('\n', start)
      if (carriageReturn !== -1 && carriageReturn < start) carriageReturn = text.indexOf('\r', start)
      const atCarriageReturn = carriageReturn !== -1 && (lineFeed === -1 || carriageReturn < lineFeed)
      const end = atCarriageReturn ? carriageReturn : lineFeed
      if (end === -1) break
      this.#takeLine(this.#line + text.slice(start, end), events)
      this.#line = ''
      start = end + 1
      if (!atCarriageReturn) continue
      if (start === text.length) this.#afterCarriageReturn = true
      else if (text.startsWith('\n', start)) start += 1
    }
    this.#line += text.slice(start)
    this.#countHeld(chunk, events.length > 0)
    return events
  }

  /**
   * The event that the stream's end truncated: its last line, or its blank line, is incomplete. The standard drops it;
   * a caller that uses it has to check that its data is complete. To be called once, after the last chunk.
   */
  end(): SseEvent | undefined {
    const line = this.#line + this.#decoder.decode()
    this.#line = ''
    // An empty one would end the event.
    if (line !== '') this.#takeLine(line, [])
    return this.#data === undefined ? undefined : { event: this.#event, data: this.#data }
  }

  /** Counts what is kept of the stream. In bytes: a string's own length says nothing about the memory that it takes. */
  #countHeld(chunk: Uint8Array, hasEndedEvent: boolean): void {
    const bytes = bytesOfLastLine(chunk)
    this.#lineBytes = bytes === chunk.length ? this.#lineBytes + bytes : bytes
    if (this.#data === undefined) this.#dataBytes = 0
    else this.#dataBytes = hasEndedEvent ? chunk.length : this.#dataBytes + chunk.length
    this.#assertBounded(Math.max(this.#lineBytes, this.#dataBytes))
  }

  /** How much of a chunk's beginning to skip: the stream's byte order mark, the second half of a CRLF. */
  #leftOver(text: string): number {
    const isLeftOver = this.#hasBegun
      ? this.#afterCarriageReturn && text.startsWith('\n')
      : text.startsWith('\ufeff')
    this.#hasBegun = true
    this.#afterCarriageReturn = false
    return isLeftOver ? 1 : 0
  }

  #takeLine(line: string, events: SseEvent[]): void {
    if (line === '') {
      if (this.#data !== undefined) events.push({ event: this.#event, data: this.#data })
      this.#data = undefined
      this.#event = ''
      this.#lastEventId = this.#id
      return
    }
    const colon = line.indexOf(':')
    if (colon === 0) return
    const field = colon === -1 ? line : line.slice(0, colon)
    const from = line.startsWith(' ', colon + 1) ? colon + 2 : colon + 1
    const value = colon === -1 ? '' : line.slice(from)
    if (field === 'data') {
      this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`
      this.#assertBounded(this.#data.length)
    } else if (field === 'event') this.#event = value
    else if (field === 'id' && !value.includes('\0')) this.#id = value
  }

  #assertBounded(leastBytes: number): void {
    if (leastBytes <= this.#maxEventBytes) return
    throw new SseEventTooLarge(`an event is longer than ${this.#maxEventBytes} bytes`)
  }
}
