import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, zstdDecompress } from 'node:zlib'
import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import { jsonFingerprint } from '../idempotency/fingerprint.ts'
import type { RawMembers } from '../llm/types.ts'
import { joinedInTurn, turn } from '../loop-turns.ts'
import { jsonInTurnsOrThrow } from '../validation/json.ts'
import { passBodyGate } from './body-gate.ts'
import { membersInTurns } from './raw-members.ts'
import { holdsBodyBack } from './server/expect.ts'

/** The error for a body longer than `maxBytes`. */
export const tooLarge = (maxBytes: number): GatewayError =>
  new GatewayError(
    'PAYLOAD_TOO_LARGE',
    `The request body is larger than ${maxBytes.toLocaleString('en')} bytes.`,
  )

/** A longer body is gone through in turns of the event loop. */
const LARGE_BYTES = 1_048_576
/** From this many characters on, a value has so many parts that it is checked in turns too. */
const LONG_TO_CHECK = 32_768

/** Their bytes in a row: a large body is copied in turns of the event loop. */
const concatenated = async (chunks: readonly Uint8Array[], size: number): Promise<Uint8Array> => {
  if (chunks.length === 1) return chunks[0] as Uint8Array
  if (size <= LARGE_BYTES) return Buffer.concat(chunks)
  const whole = Buffer.allocUnsafeSlow(size)
  let at = 0
  for (const chunk of chunks) {
    await turn()
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

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
      .once('end', () => resolve(concatenated(chunks, size)))
      .once('error', () => reject(new GatewayError('CLIENT_GONE')))
      .once('close', () => {
        if (!incoming.complete) reject(new GatewayError('CLIENT_GONE'))
      })
  })

/** The longest refused body that is read and dropped; a longer one is left unread. */
const MOST_DROPPED_BYTES = 1024 * 1024
/** The longest refused body of a web stream, which gives no access to its connection, that is read and dropped. */
const MOST_DROPPED_OF_WEB_STREAM = 8 * 1024 * 1024
/** Time limit of dropping, and of a client's reading the response before its connection is cut. */
const DROPPED_FOR_MS = 2_000

/**
 * Reads no more of a body. Once its response is written, the connection is half closed, and after two seconds cut:
 * closed at once with bytes unread, it would be reset, and the client might never see the response.
 */
const leaveUnread = (incoming: IncomingMessage, clock: Clock): void => {
  const { socket } = incoming
  // Node reads an untouched body to its end.
  incoming.read(0)
  incoming.pause()
  socket.destroySoon = () => {
    socket.end()
    const timer = clock.timer(DROPPED_FOR_MS, () => socket.destroy())
    socket.once('close', () => timer.cancel())
  }
}

const isTooLongToDrop = (declared: string | null | undefined): boolean =>
  Number(declared ?? 0) > MOST_DROPPED_BYTES

/**
 * Reads and drops the body of a Node request; one that the client still holds back is left unread, and so is one that
 * is declared longer than 1 MiB.
 * @returns whether it was left unread, so that the response must say `connection: close`
 */
export const dropBody = (incoming: IncomingMessage, clock: Clock): boolean => {
  if (incoming.readableEnded || incoming.destroyed || holdsBodyBack(incoming)) return false
  if (isTooLongToDrop(incoming.headers['content-length'])) {
    leaveUnread(incoming, clock)
    return true
  }
  let dropped = 0
  const timer = clock.timer(DROPPED_FOR_MS, () => incoming.destroy())
  const drop = (chunk: Buffer) => {
    dropped += chunk.length
    if (dropped <= MOST_DROPPED_BYTES) return
    incoming.off('data', drop)
    leaveUnread(incoming, clock)
  }
  incoming
    .on('data', drop)
    .once('end', () => timer.cancel())
    .once('close', () => timer.cancel())
  return false
}

const dropWeb = async (body: ReadableStream<Uint8Array>, clock: Clock): Promise<void> => {
  const reader = body.getReader()
  const timer = clock.timer(DROPPED_FOR_MS, () => void reader.cancel().catch(() => {}))
  let dropped = 0
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    dropped += step.value.length
    if (dropped > MOST_DROPPED_OF_WEB_STREAM) await reader.cancel()
  }
  timer.cancel()
}

/**
 * Reads and drops the rest of a refused body. A connection that is closed with unread bytes is reset, and the client
 * may never see the response.
 */
export const drainBody = (request: Request, clock: Clock): boolean => {
  const incoming = nodeRequestOf(request)
  // A web stream on top of it would pause it repeatedly: then that stream is read to its end.
  const isBegun = incoming !== undefined && incoming.listenerCount('data') > 0
  if (incoming && (!isBegun || isTooLongToDrop(incoming.headers['content-length'])))
    return dropBody(incoming, clock)
  const isHeldBack = request.headers.has('expect') && !request.bodyUsed
  if (!request.body || request.body.locked || isHeldBack) return false
  // A client that disconnects ends it too, which is not an error.
  dropWeb(request.body, clock).catch(() => {})
  return false
}

const readWeb = async (body: ReadableStream<Uint8Array>, maxBytes: number): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = []
  let size = 0
  // Not cancelled when it turns out too large: `drainBody` reads the rest.
  for await (const chunk of body.values({ preventCancel: true })) {
    size += chunk.length
    if (size > maxBytes) throw tooLarge(maxBytes)
    chunks.push(chunk)
  }
  return concatenated(chunks, size)
}

/**
 * The whole request body.
 * @throws GatewayError PAYLOAD_TOO_LARGE: before reading, where the length is declared, and after `maxBytes`
 * of it where it is not; CLIENT_GONE when the client disconnects before its end.
 */
const readBytes = async (request: Request, maxBytes: number): Promise<Uint8Array> => {
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge(maxBytes)
  const incoming = nodeRequestOf(request)
  if (incoming) return readNode(incoming, maxBytes)
  return request.body ? readWeb(request.body, maxBytes) : new Uint8Array()
}

/** Decodes UTF-8, and throws where it is invalid. Ignores a byte order mark, as RFC 8259, 8.1 permits. */
const strictUtf8 = new TextDecoder('utf-8', { fatal: true })

const invalid = (path: string, message: string): GatewayError =>
  new GatewayError('INVALID_INPUT', `${path}: ${message}`, { details: [{ path, message }] })

/** Only the bodies of `/v1` may be compressed. @throws GatewayError UNSUPPORTED_MEDIA_TYPE */
const assertPlain = ({ headers }: Request): void => {
  const encoding = headers.get('content-encoding')
  if (encoding && encoding.trim().toLowerCase() !== 'identity')
    throw new GatewayError('UNSUPPORTED_MEDIA_TYPE', 'Send the body uncompressed, without content-encoding.')
}

const CHARSET = /;\s*charset\s*=\s*"?([^";\s]*)/i

/** @param kind of body, in words */
const assertUtf8 = ({ headers }: Request, kind: string): void => {
  const [, charset] = CHARSET.exec(headers.get('content-type') ?? '') ?? []
  if (charset !== undefined && !/^utf-?8$/i.test(charset))
    throw new GatewayError('UNSUPPORTED_MEDIA_TYPE', `${kind} is always UTF-8; send no other charset.`)
}

const assertJson = (request: Request, mayBeEncoded: boolean): void => {
  const [type = ''] = (request.headers.get('content-type') ?? '').toLowerCase().split(';', 1)
  if (!/^application\/([\w.-]+\+)?json$/.test(type.trim()))
    throw new GatewayError(
      'UNSUPPORTED_MEDIA_TYPE',
      'Send the body as JSON, with content-type: application/json.',
    )
  assertUtf8(request, 'JSON')
  if (!mayBeEncoded) assertPlain(request)
}

type Decoder = (bytes: Uint8Array, options: { maxOutputLength: number }) => Promise<Uint8Array>

/** Decoders by the name of their encoding. They run on the thread pool. */
const DECODERS: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ['gzip', promisify(gunzip)],
  ['br', promisify(brotliDecompress)],
  ['zstd', promisify(zstdDecompress)],
])

const decoded = async (bytes: Uint8Array, encoding: string, maxBytes: number): Promise<Uint8Array> => {
  const name = encoding.trim().toLowerCase()
  if (name === 'identity') return bytes
  const decode = DECODERS.get(name)
  if (!decode)
    throw new GatewayError(
      'UNSUPPORTED_MEDIA_TYPE',
      `Send the body plain, or as ${[...DECODERS.keys()].join(', ')}.`,
    )
  try {
    return await decode(bytes, { maxOutputLength: maxBytes })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes)
    throw invalid('body', `is not valid ${name}`)
  }
}

const plainJsonBytes = async (request: Request, maxBytes: number): Promise<Uint8Array> => {
  assertJson(request, false)
  const bytes = await readBytes(request, maxBytes)
  await passBodyGate(request, () => jsonFingerprint(bytes))
  return bytes
}

/**
 * The request's body as a JSON value.
 * @throws GatewayError UNSUPPORTED_MEDIA_TYPE, PAYLOAD_TOO_LARGE, or INVALID_INPUT for invalid UTF-8 or JSON, nesting
 * beyond 64 levels, a field named `__proto__`, or a repeated one.
 */
export const readJson = async (request: Request, maxBytes: number): Promise<unknown> => {
  return (await jsonOf(await plainJsonBytes(request, maxBytes))).value
}

/**
 * The text of a request's body, which claims to be JSON and is not checked.
 * @throws GatewayError UNSUPPORTED_MEDIA_TYPE, PAYLOAD_TOO_LARGE, or INVALID_INPUT for invalid UTF-8
 */
export const readJsonText = async (request: Request, maxBytes: number): Promise<string> =>
  textOf(await plainJsonBytes(request, maxBytes))

/**
 * A request's body as text.
 * @throws GatewayError UNSUPPORTED_MEDIA_TYPE where it is compressed or in another charset, PAYLOAD_TOO_LARGE, or
 * INVALID_INPUT for invalid UTF-8
 */
export const readText = async (request: Request, maxBytes: number): Promise<string> => {
  assertPlain(request)
  assertUtf8(request, 'This text')
  const bytes = await readBytes(request, maxBytes)
  await passBodyGate(request, () => jsonFingerprint(bytes))
  return textOf(bytes)
}

/** The request's body as a JSON value, or undefined where it is empty. Throws what `readJson` throws. */
export const readJsonOrNothing = async (request: Request, maxBytes: number): Promise<unknown> => {
  const bytes = await readBytes(request, maxBytes)
  await passBodyGate(request, () => jsonFingerprint(bytes))
  if (bytes.length === 0) return undefined
  assertJson(request, false)
  return (await jsonOf(bytes)).value
}

/**
 * The request's body, which may be compressed, as JSON text with its value and its members. Throws what `readJson`
 * throws.
 * @param maxBytes of the body as it is sent, and as it is decoded
 */
export const readEncodedJson = async (request: Request, maxBytes: number): Promise<RawJson> => {
  assertJson(request, true)
  const bytes = await readBytes(request, maxBytes)
  const encoding = request.headers.get('content-encoding') ?? 'identity'
  const plain = await decoded(bytes, encoding, maxBytes)
  await passBodyGate(request, () => jsonFingerprint(plain))
  const json = await jsonOf(plain)
  return { ...json, members: await membersInTurns(json.text) }
}

/** A JSON text that was read before, with its value and members. @throws GatewayError INVALID_INPUT as `readJson` */
export const rawJsonOf = async (text: string): Promise<RawJson> => ({
  text,
  value: await jsonInTurnsOrThrow(text),
  isLarge: text.length > LONG_TO_CHECK,
  members: await membersInTurns(text),
})

/** A JSON text and its value. To go through all of a large one takes long. */
type JsonText = Readonly<{ text: string; value: unknown; isLarge: boolean }>

/** A JSON text with the members of the object that it is; none where it is another value. */
export type RawJson = JsonText & Readonly<{ members: RawMembers }>

const decodedInTurns = async (bytes: Uint8Array): Promise<string> => {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const pieces: string[] = []
  for (let from = 0; from < bytes.length; from += LARGE_BYTES) {
    await turn()
    pieces.push(decoder.decode(bytes.subarray(from, from + LARGE_BYTES), { stream: true }))
  }
  pieces.push(decoder.decode())
  return joinedInTurn(pieces)
}

const textOf = async (bytes: Uint8Array): Promise<string> => {
  try {
    return bytes.length > LARGE_BYTES ? await decodedInTurns(bytes) : strictUtf8.decode(bytes)
  } catch {
    throw invalid('body', `is not valid UTF-8 (${bytes.length} bytes)`)
  }
}

const jsonOf = async (bytes: Uint8Array): Promise<JsonText> => {
  if (bytes.length === 0) throw invalid('body', 'is empty; send a JSON object')
  const text = await textOf(bytes)
  return { text, value: await jsonInTurnsOrThrow(text), isLarge: text.length > LONG_TO_CHECK }
}
