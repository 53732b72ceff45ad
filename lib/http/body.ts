import type { IncomingMessage } from 'node:http'
import { GatewayError } from '../errors.ts'

const tooLarge = (maxBytes: number): GatewayError =>
  new GatewayError(
    'PAYLOAD_TOO_LARGE',
    `The request body is larger than ${maxBytes.toLocaleString('en')} bytes.`,
  )

/** The Node request behind a native host's Request: reading it costs a tenth of reading its web stream. */
const nodeRequestOf = (request: Request): IncomingMessage | undefined =>
  (request as { runtime?: { node?: { req?: IncomingMessage } } }).runtime?.node?.req

const readNode = (incoming: IncomingMessage, maxBytes: number): Promise<Uint8Array> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const onData = (chunk: Buffer) => {
      size += chunk.length
      if (size <= maxBytes) chunks.push(chunk)
      else {
        incoming.off('data', onData)
        reject(tooLarge(maxBytes))
      }
    }
    incoming
      .on('data', onData)
      .once('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)))
      .once('error', () => reject(new GatewayError('CLIENT_GONE')))
      .once('close', () => {
        if (!incoming.complete) reject(new GatewayError('CLIENT_GONE'))
      })
  })

/** Of a refused body: who goes on sending beyond it is cut off. */
const MOST_DROPPED_BYTES = 8 * 1024 * 1024

/**
 * Reads and drops what is still to come of a refused body: closed with bytes unread, a connection is reset, and the
 * sender may never see the answer.
 * @returns headers for the answer: where the host does not let us drop it, the connection closes.
 */
export const dropRest = (request: Request): Readonly<Record<string, string>> => {
  const incoming = nodeRequestOf(request)
  if (!incoming) return { connection: 'close' }
  let dropped = 0
  incoming.on('data', (chunk: Buffer) => {
    dropped += chunk.length
    if (dropped > MOST_DROPPED_BYTES) incoming.destroy()
  })
  return {}
}

const readWeb = async (body: ReadableStream<Uint8Array>, maxBytes: number): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > maxBytes) throw tooLarge(maxBytes)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/**
 * The whole request body.
 * @throws GatewayError PAYLOAD_TOO_LARGE: before reading, where the length is declared, and after `maxBytes`
 * of it where it is not; CLIENT_GONE when the sender leaves in the middle.
 */
export const readBytes = async (request: Request, maxBytes: number): Promise<Uint8Array> => {
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge(maxBytes)
  const incoming = nodeRequestOf(request)
  if (incoming) return readNode(incoming, maxBytes)
  return request.body ? readWeb(request.body, maxBytes) : new Uint8Array()
}
