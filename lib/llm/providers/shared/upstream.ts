import { Agent, type Dispatcher, request } from 'undici'
import type { HeaderLookup } from './retry-after.ts'

/** The body of an upstream response: bytes that can be read once, or given up. */
export type UpstreamBody = Dispatcher.ResponseData['body']

/** Where a vendor takes calls, with every header that does not depend on the call. */
export type UpstreamAddress = Readonly<{ url: string; headers: Readonly<Record<string, string>> }>

/** Posts JSON text. Rejects when no response comes: with the signal's reason, or what the socket failed with. */
export type Post = (address: UpstreamAddress, json: string, signal: AbortSignal) => Promise<UpstreamResponse>

const MAX_REFUSAL_BYTES = 64 * 1024
const CONNECT_TIMEOUT_MS = 3_000
/**
 * Of an answer whose reader is slow: what has come beyond it waits in the kernel, and slows the upstream. As much as Node
 * takes from a socket in one go: undici puts back what is beyond it, and with less would take more each time than it hands on.
 */
const MOST_BYTES_AHEAD = 64 * 1024

/**
 * One pool of kept-alive connections for all upstreams. Time limits between the first and the last byte are
 * the pipeline's (`timeout`), so undici's own are off.
 */
export const upstreamAgent = (): Agent =>
  new Agent({ connect: { timeout: CONNECT_TIMEOUT_MS }, headersTimeout: 0, bodyTimeout: 0 })

/** Reads a whole body as text. Rejects with a RangeError, and gives it up, once it is longer than `maxBytes`. */
export const readText = (body: UpstreamBody, maxBytes: number): Promise<string> =>
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
      .once('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
      .once('error', reject)
      .once('close', () => reject(new Error('the body closed before its end')))
    if (body.closed) reject(body.errored ?? new Error('the body was closed'))
  })

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

  /** What a refusal says; empty where it cannot be read. */
  refusalText(): Promise<string> {
    return readText(this.body, MAX_REFUSAL_BYTES).catch(() => '')
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
