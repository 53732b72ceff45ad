import { Agent, type Dispatcher, request } from 'undici'
import type { ResponseBody } from './body.ts'
import { decodedBody } from './content-encoding.ts'
import type { HeaderLookup } from './retry-after.ts'

/** The body of an upstream response: bytes that can be read once, or given up. */
export type UpstreamBody = Dispatcher.ResponseData['body']

/** Where a vendor takes calls, with every header that does not depend on the call. */
export type UpstreamAddress = Readonly<{ url: string; headers: Readonly<Record<string, string>> }>

/** Posts JSON text. Rejects when no response comes: with the signal's reason, or what the socket failed with. */
export type Post = (address: UpstreamAddress, json: string, signal: AbortSignal) => Promise<UpstreamResponse>

const MAX_REFUSAL_BYTES = 64 * 1024
const CONNECT_TIMEOUT_MS = 3_000
/** Of an answer whose reader is slow: what has come beyond it waits in the kernel, and slows the upstream. */
const MOST_BYTES_AHEAD = 16 * 1024

/**
 * One pool of kept-alive connections for all upstreams. Time limits between the first and the last byte are
 * the pipeline's (`timeout`), so undici's own are off.
 */
export const upstreamAgent = (): Agent =>
  new Agent({ connect: { timeout: CONNECT_TIMEOUT_MS }, headersTimeout: 0, bodyTimeout: 0 })

/** Reads a whole body as text. Rejects with a RangeError, and gives it up, once it is longer than `maxBytes`. */
export const readText = async (body: ResponseBody, maxBytes: number): Promise<string> => {
  const chunks: Uint8Array[] = []
  let size = 0
  for (;;) {
    const step = await body.next()
    if (step.done) return Buffer.concat(chunks, size).toString('utf8')
    size += step.value.length
    if (size > maxBytes) {
      body.destroy()
      throw new RangeError(`the body is longer than ${maxBytes} bytes`)
    }
    chunks.push(step.value)
  }
}

/** What an upstream answered: its status, its headers by `get`, and a body nobody has read yet. */
export class UpstreamResponse implements HeaderLookup {
  readonly status: number
  readonly body: UpstreamBody
  readonly #headers: Dispatcher.ResponseData['headers']

  constructor({ statusCode, headers, body }: Dispatcher.ResponseData) {
    this.status = statusCode
    this.body = body
    this.#headers = headers
    // A body that is given up emits an error. Whoever reads gets it from the iterator; unheard, it would end the process.
    body.on('error', () => {})
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300
  }

  /** A header by its lower-case name; the first one where it came several times. */
  get(name: string): string | null {
    const value = this.#headers[name]
    return (Array.isArray(value) ? value[0] : value) ?? null
  }

  /** The body without its content encoding. @throws MalformedResponse where that is unknown or several. */
  decoded(): ResponseBody {
    return decodedBody(this.body, [this.#headers['content-encoding'] ?? []].flat().join())
  }

  /** What a refusal says; empty where it cannot be read. */
  async refusalText(): Promise<string> {
    try {
      return await readText(this.decoded(), MAX_REFUSAL_BYTES)
    } catch {
      return ''
    }
  }
}

/** Posts over undici's pool: a third of the CPU of the global `fetch`. Redirects are not followed. */
export const postOver =
  (dispatcher: Dispatcher): Post =>
  async ({ url, headers }, body, signal) =>
    new UpstreamResponse(
      await request(url, {
        dispatcher,
        method: 'POST',
        headers,
        body,
        signal,
        highWaterMark: MOST_BYTES_AHEAD,
      }),
    )
