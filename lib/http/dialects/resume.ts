import type { Clock } from '../../clock.ts'
import { GatewayError, toGatewayError } from '../../errors.ts'
import type { Call, Reply } from '../../llm/types.ts'
import type { PacedBody } from '../paced-body.ts'
import { type BodyEnd, type Pieces, piecesWithEnd } from '../pieces.ts'
import type { RouteResponse } from '../route-response.ts'
import { eventStream } from '../sse.ts'
import { frames } from './chat.ts'

/** Frames for one reader. `hasReadAll`: the end of the stream is among those that it has read. */
export type FrameReader = AsyncIterable<Uint8Array> & { readonly hasReadAll: boolean }

/** The stored frames of an answer, for clients that resume. */
export type KeptStream = Readonly<{
  id: string
  lastFrame: number
  endsWith: (frame: number) => boolean
  write: (frames: Pieces<string>) => Promise<void>
  /** Stores all frames of a complete answer before a reader has the last ones. */
  storeBy: (store: (whole: Uint8Array) => Promise<void>) => Promise<void>
  read: (after: number, client: AbortSignal) => FrameReader
}>

export type ReaderOptions = Readonly<{
  clock: Clock
  /** Aborts when the reader has disconnected. */
  client: AbortSignal
  /** Called when the reader has disconnected. Others may continue. */
  abort: (reason: GatewayError) => void
}>

const STREAM_ID = /^chat_[\da-f]{32}$/
const FRAME = /^\d{1,10}$/
const nothing = (): void => {}

/** Whether a request asks for a stream that outlives its connection. */
export const wantsResume = ({ headers }: Request): boolean => headers.get('x-gateway-resume') === 'true'

/** The header of an answer whose stream could not be kept; the answer itself is sent as usual. */
export const refusedResume = (response: RouteResponse): RouteResponse => ({
  ...response,
  headers: { ...response.headers, 'x-gateway-resume': 'refused' },
})

/** The stream's id in a path. @throws GatewayError NOT_FOUND for a malformed one. */
export const streamIdOf = (id: unknown): string => {
  if (typeof id !== 'string' || !STREAM_ID.test(id)) throw noSuchStream()
  return id
}

export const noSuchStream = (): GatewayError =>
  new GatewayError('NOT_FOUND', 'This stream does not exist, or has expired.')

/** The last frame that the resuming client has received. @throws GatewayError INVALID_INPUT */
const lastEventId = (stream: KeptStream, { headers }: Request): number => {
  const sent = headers.get('last-event-id') || '0'
  if (FRAME.test(sent) && Number(sent) <= stream.lastFrame) return Number(sent)
  const message = `must be the id of an event of this stream: at most ${stream.lastFrame}, or nothing for all of it`
  throw new GatewayError('INVALID_INPUT', `Last-Event-ID ${message}.`, {
    details: [{ path: 'Last-Event-ID', message }],
  })
}

const responseOf = (stream: KeptStream, body: PacedBody): RouteResponse => ({
  ...body,
  headers: { 'x-gateway-stream-id': stream.id },
})

const reading = (
  stream: KeptStream,
  after: number,
  { clock, client, abort }: ReaderOptions,
  startWithPing = false,
): RouteResponse =>
  responseOf(stream, eventStream(stream.read(after, client), { clock, abort, startWithPing }))

async function* readToEnd(
  reader: FrameReader,
  written: Pieces<string>,
  onEnd: (end: BodyEnd) => void,
): AsyncGenerator<Uint8Array> {
  for await (const bytes of reader) {
    if (reader.hasReadAll) onEnd(written.end ?? 'failed')
    yield bytes
  }
  onEnd(written.end ?? 'failed')
}

/**
 * Writes a reply's frames to `stream`, and attaches the first reader. Ends with the last frame. Observed is the whole
 * answer, which may outlive that reader.
 */
export const resumableResponse = (
  call: Call,
  reply: Reply,
  stream: KeptStream,
  { clock, client }: Omit<ReaderOptions, 'abort'>,
): RouteResponse => {
  const written = frames(call, reply, clock)
  const ended = stream.write(written).catch(thrown => {
    call.journal.error ??= toGatewayError(thrown)
  })
  const read = piecesWithEnd(onEnd => readToEnd(stream.read(0, client), written, onEnd))
  const observe: RouteResponse['observe'] = async ({ onPiece, onComplete }) => {
    await stream.storeBy(whole => {
      onPiece(whole)
      return onComplete()
    })
    await ended
  }
  return { ...responseOf(stream, eventStream(read, { clock, abort: nothing })), ended, observe }
}

/**
 * The rest of a stream for a resuming client: all frames after its Last-Event-ID, then live. Empty (204, after which an
 * EventSource does not reconnect) where it has received the end. It starts at once, with a comment where there is no
 * new frame.
 */
export const resumedResponse = (
  stream: KeptStream,
  request: Request,
  options: ReaderOptions,
): RouteResponse => {
  const after = lastEventId(stream, request)
  return stream.endsWith(after)
    ? { status: 204 }
    : reading(stream, after, options, after === stream.lastFrame)
}
