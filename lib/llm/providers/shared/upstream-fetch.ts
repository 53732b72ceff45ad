import { Agent, type Dispatcher, request } from 'undici'

/** The body of an upstream response: bytes that can be read once, or given up. */
export type UpstreamBody = Dispatcher.ResponseData['body']

const MAX_ERROR_BYTES = 64 * 1024
const CONNECT_TIMEOUT_MS = 3_000

/**
 * One pool of kept-alive connections for all upstreams. Time limits between the first and the last byte are
 * the pipeline's (`timeout`), so undici's own are off.
 */
export const upstreamAgent = (): Agent =>
  new Agent({ connect: { timeout: CONNECT_TIMEOUT_MS }, headersTimeout: 0, bodyTimeout: 0 })

/** Reads a whole body as text; throws once it is longer than `maxBytes`. */
export const readText = async (body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> => {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > maxBytes) throw new RangeError(`the body is longer than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

class UpstreamResponse {
  readonly status: number
  readonly headers: Headers
  readonly body: UpstreamBody
  readonly url: string

  constructor({ statusCode, headers, body }: Dispatcher.ResponseData, url: string) {
    this.status = statusCode
    this.headers = new Headers(headers as Record<string, string>)
    this.body = body
    this.url = url
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300
  }

  text(): Promise<string> {
    return readText(this.body, MAX_ERROR_BYTES)
  }
}

export type { UpstreamResponse }

const asFetchResponse = (response: UpstreamResponse): Response => response as unknown as Response

/** The other way round: what a client that was given `upstreamFetch` hands back as its raw response. */
export const asUpstreamResponse = (response: Response): UpstreamResponse =>
  response as unknown as UpstreamResponse

/**
 * As much of `fetch` as provider clients use, straight on undici's pool: a third of the CPU of the global one,
 * and the body stays a Node stream. Redirects are not followed.
 */
export const upstreamFetch =
  (dispatcher: Dispatcher): typeof fetch =>
  async (input, init) => {
    const url = String(input)
    const response = await request(url, {
      dispatcher,
      method: (init?.method ?? 'GET') as Dispatcher.HttpMethod,
      headers: new Headers(init?.headers),
      body: init?.body as string,
      signal: init?.signal ?? null,
    })
    return asFetchResponse(new UpstreamResponse(response, url))
  }
