import { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { LRUCache } from 'lru-cache'
import type { Dispatcher } from 'undici'
import { joinedInTurn, turn } from '../../../loop-turns.ts'
import type { Attempt } from '../../../request-context.ts'
import type { Call } from '../../types.ts'
import type { ResponseBody } from './body.ts'
import { decodedBody } from './content-encoding.ts'
import type { HeaderLookup } from './rate-headers.ts'
import { UpstreamBody } from './upstream-body.ts'

/** A vendor's endpoint, with every header that does not depend on the call. */
export type UpstreamAddress = Readonly<{ url: string; headers: Readonly<Record<string, string>> }>

/** The headers that identify an attempt, and the trace that its request belongs to, to an upstream. */
export const attemptHeaders = (
  { requestId, traceparent }: Call,
  { number }: Attempt,
): Readonly<Record<string, string>> => ({
  ...(traceparent !== undefined && { traceparent }),
  'x-gateway-attempt-id': `${requestId}.${number}`,
})

/** Posts JSON text, or a body of another kind. Rejects when no response arrives: with the signal's reason, or the socket's error. */
export type Post = (
  address: UpstreamAddress,
  body: string | Readable,
  signal: AbortSignal,
) => Promise<UpstreamResponse>

const MAX_ERROR_BODY_BYTES = 64 * 1024

const textOf = (chunks: readonly Uint8Array[], size: number): string => {
  const [first] = chunks
  // One chunk is the usual case: there is nothing to join.
  const bytes =
    chunks.length === 1 && first
      ? Buffer.from(first.buffer, first.byteOffset, size)
      : Buffer.concat(chunks, size)
  return bytes.toString('utf8')
}

/** Bytes above which a body is decoded between other work. */
const LONG_BODY = 1024 * 1024

const textInTurns = async (chunks: readonly Uint8Array[]): Promise<string> => {
  const decoder = new StringDecoder('utf8')
  const pieces: string[] = []
  for (const chunk of chunks) {
    await turn()
    pieces.push(decoder.write(chunk))
  }
  return joinedInTurn([...pieces, decoder.end()])
}

/** Reads a whole body as text. Rejects with a RangeError, and discards it, once it is longer than `maxBytes`. */
export const readText = async (body: ResponseBody, maxBytes: number): Promise<string> => {
  const chunks: Uint8Array[] = []
  let size = 0
  for (;;) {
    const step = await body.next()
    if (step.done) return size > LONG_BODY ? await textInTurns(chunks) : textOf(chunks, size)
    size += step.value.length
    if (size > maxBytes) {
      body.destroy()
      throw new RangeError(`the body is longer than ${maxBytes} bytes`)
    }
    chunks.push(step.value)
  }
}

type Headers = Dispatcher.ResponseData['headers']

/** An upstream's response: its status, its headers by `get`, and an unread body. */
export class UpstreamResponse implements HeaderLookup {
  readonly status: number
  readonly body: UpstreamBody
  readonly #headers: Headers

  constructor(status: number, headers: Headers, body: UpstreamBody) {
    this.status = status
    this.body = body
    this.#headers = headers
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300
  }

  /** A header by its lower-case name; the first one where it is repeated. */
  get(name: string): string | null {
    const value = this.#headers[name]
    return (Array.isArray(value) ? value[0] : value) ?? null
  }

  /** Whether the response declares the length of its body. */
  get hasLength(): boolean {
    return this.#headers['content-length'] !== undefined
  }

  get isEncoded(): boolean {
    return this.#headers['content-encoding'] !== undefined
  }

  /** The body without its content encoding. @throws MalformedResponse where that is unknown or several. */
  decoded(): ResponseBody {
    return decodedBody(this.body, [this.#headers['content-encoding'] ?? []].flat().join())
  }

  /** The text of an error response; empty where it cannot be read. */
  async errorBody(): Promise<string> {
    try {
      return await readText(this.decoded(), MAX_ERROR_BODY_BYTES)
    } catch {
      return ''
    }
  }
}

/** Characters of a text that are encoded at once. */
const LONGEST_ENCODED = 524_288

const isHighSurrogate = (code: number): boolean => code >= 0xd8_00 && code <= 0xdb_ff

/** A long text as UTF-8, encoded between other work. */
const encodedInTurns = async (text: string): Promise<readonly Buffer[]> => {
  const pieces: Buffer[] = []
  for (let from = 0; from < text.length; ) {
    await turn()
    const end = Math.min(from + LONGEST_ENCODED, text.length)
    const to = isHighSurrogate(text.charCodeAt(end - 1)) && end < text.length ? end - 1 : end
    pieces.push(Buffer.from(text.slice(from, to)))
    from = to
  }
  return pieces
}

const LEAST_FINAL_STATUS = 200

/** One request on its way: settles with the response's head, and leads its bytes, or an abort, into the body. */
class Exchange implements Dispatcher.DispatchHandler, EventListenerObject {
  readonly #signal: AbortSignal
  readonly #settled: PromiseWithResolvers<UpstreamResponse>
  #controller: Dispatcher.DispatchController | undefined
  #body: UpstreamBody | undefined

  constructor(signal: AbortSignal) {
    this.#signal = signal
    this.#settled = Promise.withResolvers()
    signal.addEventListener('abort', this)
  }

  get response(): Promise<UpstreamResponse> {
    return this.#settled.promise
  }

  /** The signal's abort: it rejects at once; undici by itself waits until a connection has been made. */
  handleEvent(): void {
    const { reason } = this.#signal
    this.#release()
    this.#settled.reject(reason)
    if (this.#body) this.#body.abort(reason)
    else this.#controller?.abort(reason)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#signal.aborted) controller.abort(this.#signal.reason)
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: Headers): void {
    if (status < LEAST_FINAL_STATUS) return
    this.#body = new UpstreamBody(controller)
    this.#settled.resolve(new UpstreamResponse(status, headers, this.#body))
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Uint8Array): void {
    this.#body?.push(chunk)
  }

  onResponseEnd(): void {
    this.#release()
    this.#body?.complete()
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#release()
    this.#body?.fail(error)
    this.#settled.reject(error)
  }

  #release(): void {
    this.#signal.removeEventListener('abort', this)
  }
}

type Location = Readonly<{ origin: string; path: string }>

/** Parsed addresses: a few endpoints, and for some vendors one for each model. */
const MOST_LOCATIONS = 256

const locations = (): ((url: string) => Location) => {
  const known = new LRUCache<string, Location>({
    max: MOST_LOCATIONS,
    memoMethod: url => {
      const { origin, pathname, search } = new URL(url)
      return { origin, path: pathname + search }
    },
  })
  return url => known.memo(url)
}

/** Posts over undici's pool: a quarter of the CPU of the global `fetch`. Redirects are not followed. */
export const postOver = (dispatcher: Dispatcher): Post => {
  const locate = locations()

  const postNow = (
    { url, headers }: UpstreamAddress,
    body: string | Readable,
    signal: AbortSignal,
  ): Promise<UpstreamResponse> => {
    if (signal.aborted) return Promise.reject(signal.reason)
    const exchange = new Exchange(signal)
    // A proxy's own pool does not take the time limits from the agent.
    const limits = { headersTimeout: 0, bodyTimeout: 0 }
    dispatcher.dispatch({ ...locate(url), method: 'POST', headers, body, ...limits }, exchange)
    return exchange.response
  }

  return async (address, body, signal) => {
    if (typeof body !== 'string' || body.length <= LONGEST_ENCODED) return postNow(address, body, signal)
    const pieces = await encodedInTurns(body)
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
    const headers = { ...address.headers, 'content-length': String(length) }
    return postNow({ ...address, headers }, Readable.from(pieces, { objectMode: false }), signal)
  }
}
