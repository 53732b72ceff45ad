import type { IncomingMessage } from 'node:http'
import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import { holdsBodyBack } from './server/expect.ts'

const tooLarge = (maxBytes: number): GatewayError =>
  new GatewayError(
    'PAYLOAD_TOO_LARGE',
    `The request body is larger than ${maxBytes.toLocaleString('en')} bytes.`,
  )

/** The Node request that a native server's Request wraps: reading it costs a tenth of reading its web stream. */
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

/** Limits for dropping a refused body: beyond them the connection is closed. */
const MOST_DROPPED_BYTES = 8 * 1024 * 1024
const DROPPED_FOR_MS = 2_000

/** Reads and drops the body of a Node request; one that the client still holds back is not requested. */
export const dropBody = (incoming: IncomingMessage, clock: Clock): void => {
  if (incoming.readableEnded || incoming.destroyed || holdsBodyBack(incoming)) return
  let dropped = 0
  const timer = clock.timer(DROPPED_FOR_MS, () => incoming.destroy())
  incoming
    .on('data', (chunk: Buffer) => {
      dropped += chunk.length
      if (dropped > MOST_DROPPED_BYTES) incoming.destroy()
    })
    .once('end', () => timer.cancel())
    .once('close', () => timer.cancel())
}

const dropWeb = async (body: ReadableStream<Uint8Array>, clock: Clock): Promise<void> => {
  const reader = body.getReader()
  const timer = clock.timer(DROPPED_FOR_MS, () => void reader.cancel().catch(() => {}))
  let dropped = 0
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    dropped += step.value.length
    if (dropped > MOST_DROPPED_BYTES) await reader.cancel()
  }
  timer.cancel()
}

/**
 * Reads and drops the rest of a refused body. A connection that is closed with unread bytes is reset, and the client
 * may never see the response.
 */
export const drainBody = (request: Request, clock: Clock): void => {
  const incoming = nodeRequestOf(request)
  // A web stream on top of it would pause it repeatedly: then that stream is read to its end.
  if (incoming && incoming.listenerCount('data') === 0) return void dropBody(incoming, clock)
  const isHeldBack = request.headers.has('expect') && !request.bodyUsed
  if (!request.body || request.body.locked || isHeldBack) return
  // A client that disconnects ends it too, which is not an error.
  dropWeb(request.body, clock).catch(() => {})
}

const readWeb = async (body: ReadableStream<Uint8Array>, maxBytes: number): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = []
  let size = 0
  // Not cancelled when it turns out too large: `dropRest` reads the rest.
  for await (const chunk of body.values({ preventCancel: true })) {
    size += chunk.length
    if (size > maxBytes) throw tooLarge(maxBytes)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/**
 * The whole request body.
 * @throws GatewayError PAYLOAD_TOO_LARGE: before reading, where the length is declared, and after `maxBytes`
 * of it where it is not; CLIENT_GONE when the client disconnects before its end.
 */
export const readBytes = async (request: Request, maxBytes: number): Promise<Uint8Array> => {
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge(maxBytes)
  const incoming = nodeRequestOf(request)
  if (incoming) return readNode(incoming, maxBytes)
  return request.body ? readWeb(request.body, maxBytes) : new Uint8Array()
}
