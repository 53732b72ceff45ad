import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'

/** A response as it came over the wire, and its body decoded. */
export type EncodedAnswer = Readonly<{
  status: number
  headers: IncomingMessage['headers']
  /** Bytes of the body as sent. */
  sent: number
  body: string
}>

type EncodedRequest = Readonly<{
  method?: string
  headers?: Readonly<Record<string, string>>
  body?: unknown
}>

const decoded = (bytes: Buffer, encoding: string | undefined): Buffer => {
  if (encoding === undefined || bytes.length === 0) return bytes
  return encoding === 'br' ? brotliDecompressSync(bytes) : gunzipSync(bytes)
}

/** Sends a request whose Accept-Encoding is exactly the given one; `fetch` would add its own. */
export const sendEncoded = async (
  url: string,
  path: string,
  { method = 'GET', headers = {}, body }: EncodedRequest = {},
): Promise<EncodedAnswer> => {
  const { hostname, port } = new URL(url)
  const json = body === undefined ? {} : { 'content-type': 'application/json' }
  const asked = request({
    host: hostname,
    port,
    method,
    path,
    headers: { ...json, ...headers },
    agent: false,
  })
  asked.end(body === undefined ? undefined : JSON.stringify(body))
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  const bytes = await buffer(answer)
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    sent: bytes.length,
    body: decoded(bytes, answer.headers['content-encoding']).toString(),
  }
}
