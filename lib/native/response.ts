import type { IncomingMessage, ServerResponse } from 'node:http'
import { FastResponse, sendNodeResponse } from 'srvx/node'
import type { ContentEncoding } from '../http/accept-encoding.ts'
import type { ResponseHead } from '../http/route-response.ts'
import { compressResponse, compressText, encodingFor, isCompressible } from '../http/server/compression.ts'

/**
 * A response of the native server. Text is written together with its head: two buffers cost the socket nearly twice as
 * much.
 */
export class NativeResponse extends FastResponse {
  readonly #body: BodyInit | null
  readonly #head: ResponseHead

  constructor(body: BodyInit | null, head: ResponseHead) {
    super(body, head)
    this.#body = body
    this.#head = head
  }

  /** Writes it in the encoding that the request asks for. */
  writeTo(request: IncomingMessage, response: ServerResponse): void {
    const body = this.#body
    if (typeof body !== 'string') {
      if (body !== null && !this.#isEventStream) compressResponse(request, response)
      void sendNodeResponse(response, this)
    } else if (isCompressible(body)) this.#writeEncoded(body, request, response)
    else this.#write(response, body)
  }

  get #isEventStream(): boolean {
    return this.#head.headers['content-type']?.startsWith('text/event-stream') ?? false
  }

  #writeEncoded(body: string, request: IncomingMessage, response: ServerResponse): void {
    const { vary, 'cache-control': cacheControl } = this.#head.headers
    const varying = { vary: vary === undefined ? 'Accept-Encoding' : `${vary}, Accept-Encoding` }
    const encoding = encodingFor(request, cacheControl)
    if (encoding === undefined) this.#write(response, body, varying)
    else void this.#writeCompressed(body, encoding, response, varying)
  }

  async #writeCompressed(
    body: string,
    encoding: ContentEncoding,
    response: ServerResponse,
    headers: Readonly<Record<string, string>>,
  ): Promise<void> {
    const bytes = await compressText(body, encoding)
    if (bytes) this.#write(response, bytes, { ...headers, 'content-encoding': encoding })
    else this.#write(response, body, headers)
  }

  #write(response: ServerResponse, body: string | Buffer, more?: Readonly<Record<string, string>>): void {
    const { status, statusText, headers } = this.#head
    response
      .writeHead(status, statusText, { ...headers, ...more, 'content-length': Buffer.byteLength(body) })
      .end(body)
  }
}
