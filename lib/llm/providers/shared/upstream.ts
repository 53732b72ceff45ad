import { EventEmitter } from 'node:events'
import type { Readable } from 'node:stream'
import { Agent, Dispatcher, EnvHttpProxyAgent, Pool, request } from 'undici'
import { turn } from '../../../loop-turns.ts'
import type { ResponseBody } from './body.ts'
import { decodedBody } from './content-encoding.ts'
import type { HeaderLookup } from './rate-headers.ts'

/** The body of an upstream response: bytes that can be read once, or discarded. */
export type UpstreamBody = Dispatcher.ResponseData['body']

/** A vendor's endpoint, with every header that does not depend on the call. */
export type UpstreamAddress = Readonly<{ url: string; headers: Readonly<Record<string, string>> }>

/** An abort signal for undici, cheaper than an AbortSignal. */
class Aborter extends EventEmitter {
  reason: unknown

  abort(reason: unknown): void {
    this.reason = reason
    this.emit('abort')
  }
}

/** Posts JSON text, or a body of another kind. Rejects when no response arrives: with the signal's reason, or the socket's error. */
export type Post = (
  address: UpstreamAddress,
  body: string | Readable,
  signal: AbortSignal,
) => Promise<UpstreamResponse>

const MAX_ERROR_BODY_BYTES = 64 * 1024
const CONNECT_TIMEOUT_MS = 3_000
/**
 * Buffered bytes of an answer with a slow reader: beyond them data waits in the kernel, which slows the upstream. As
 * much as Node reads from a socket at once: undici puts back the excess, and with less would read more each time than
 * it passes on.
 */
const MOST_BYTES_AHEAD = 64 * 1024

/** Forward proxies for http and https addresses, and the hosts that are called directly, separated by commas. */
export type Proxies = Readonly<{
  http?: string | undefined
  https?: string | undefined
  noProxy?: string | undefined
}>

/** A proxy that accepts a connection and stays silent times out like an upstream that accepts none. */
const proxyClient = (origin: URL, options: object): Dispatcher =>
  new Pool(origin, { ...options, headersTimeout: CONNECT_TIMEOUT_MS })

/**
 * A pool that does not report its connections to the agent: at the end of each one the agent would scan all the others,
 * to close a pool without any.
 */
const poolOf = (origin: string | URL, options: object): Dispatcher => {
  const pool = new Pool(origin, options)
  return Object.assign(new Dispatcher(), {
    dispatch: pool.dispatch.bind(pool),
    close: pool.close.bind(pool),
    destroy: pool.destroy.bind(pool),
  })
}

/**
 * One pool of kept-alive connections for all upstreams. Time limits between the first and the last byte are
 * the pipeline's (`timeout`), so undici's own are off.
 *
 * @param proxies are used for calls where one is set; https ones go through `http` where `https` is absent. Loopback
 * addresses are no exception: `noProxy` names those.
 */
export const upstreamAgent = ({ http, https, noProxy }: Proxies = {}): Dispatcher => {
  const limits = { connect: { timeout: CONNECT_TIMEOUT_MS }, headersTimeout: 0, bodyTimeout: 0 }
  if (http === undefined && https === undefined) return new Agent({ ...limits, factory: poolOf })
  return new EnvHttpProxyAgent({
    ...limits,
    // Empty, they keep undici from reading the environment by itself.
    httpProxy: http ?? '',
    httpsProxy: https ?? '',
    noProxy: noProxy ?? '',
    proxyTls: { timeout: CONNECT_TIMEOUT_MS },
    requestTls: { timeout: CONNECT_TIMEOUT_MS },
    clientFactory: proxyClient,
  })
}

const textOf = (chunks: readonly Uint8Array[], size: number): string => {
  const [first] = chunks
  // One chunk is the usual case: there is nothing to join.
  const bytes =
    chunks.length === 1 && first
      ? Buffer.from(first.buffer, first.byteOffset, size)
      : Buffer.concat(chunks, size)
  return bytes.toString('utf8')
}

/** Reads a whole body as text. Rejects with a RangeError, and discards it, once it is longer than `maxBytes`. */
export const readText = async (body: ResponseBody, maxBytes: number): Promise<string> => {
  const chunks: Uint8Array[] = []
  let size = 0
  for (;;) {
    const step = await body.next()
    if (step.done) return textOf(chunks, size)
    size += step.value.length
    if (size > maxBytes) {
      body.destroy()
      throw new RangeError(`the body is longer than ${maxBytes} bytes`)
    }
    chunks.push(step.value)
  }
}

/**
 * The same for an unread body straight from the socket, at a third of the CPU of its iterator. Also rejects with the
 * error that broke it.
 */
export const readRawText = (body: UpstreamBody, maxBytes: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = []
    let size = 0
    body
      .on('data', (chunk: Uint8Array) => {
        size += chunk.length
        if (size <= maxBytes) return void chunks.push(chunk)
        reject(new RangeError(`the body is longer than ${maxBytes} bytes`))
        body.destroy()
      })
      .once('end', () => resolve(textOf(chunks, size)))
      .once('error', reject)
      .once('close', () => reject(new Error('the body closed before its end')))
    if (body.closed) reject(body.errored ?? new Error('the body was closed'))
  })

/** An upstream's response: its status, its headers by `get`, and an unread body. */
export class UpstreamResponse implements HeaderLookup {
  readonly status: number
  readonly body: UpstreamBody
  readonly #headers: Dispatcher.ResponseData['headers']

  constructor({ statusCode, headers, body }: Dispatcher.ResponseData) {
    this.status = statusCode
    this.body = body
    this.#headers = headers
    // A discarded body emits an error. A reader gets it from the iterator; without a listener it would end the process.
    body.on('error', () => {})
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
const encodedInTurns = async (text: string): Promise<Buffer> => {
  const bytes = Buffer.allocUnsafe(Buffer.byteLength(text))
  let written = 0
  for (let from = 0; from < text.length; ) {
    await turn()
    const end = Math.min(from + LONGEST_ENCODED, text.length)
    const to = isHighSurrogate(text.charCodeAt(end - 1)) && end < text.length ? end - 1 : end
    written += bytes.write(text.slice(from, to), written)
    from = to
  }
  return bytes
}

const postNow = (
  dispatcher: Dispatcher,
  { url, headers }: UpstreamAddress,
  body: string | Buffer | Readable,
  signal: AbortSignal,
): Promise<UpstreamResponse> =>
  new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const aborter = new Aborter()
    const onAbort = () => {
      aborter.abort(signal.reason)
      reject(signal.reason)
    }
    const release = () => signal.removeEventListener('abort', onAbort)
    signal.addEventListener('abort', onAbort, { once: true })
    request(url, {
      dispatcher,
      method: 'POST',
      headers,
      body,
      signal: aborter,
      highWaterMark: MOST_BYTES_AHEAD,
      // A proxy's own pool does not take them from the agent.
      headersTimeout: 0,
      bodyTimeout: 0,
    }).then(
      response => {
        response.body.once('close', release)
        resolve(new UpstreamResponse(response))
      },
      error => {
        release()
        reject(error)
      },
    )
  })

/**
 * Posts over undici's pool: a third of the CPU of the global `fetch`. Redirects are not followed. An abort rejects at
 * once; undici by itself waits until a connection has been made. Its own listener is on an
 * emitter, which is cheaper than a second one on the signal.
 */
export const postOver =
  (dispatcher: Dispatcher): Post =>
  async (address, body, signal) => {
    const isLong = typeof body === 'string' && body.length > LONGEST_ENCODED
    return postNow(dispatcher, address, isLong ? await encodedInTurns(body) : body, signal)
  }
