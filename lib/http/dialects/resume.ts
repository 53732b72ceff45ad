import type { Clock } from '../../clock.ts'
import { GatewayError, toGatewayError } from '../../errors.ts'
import type { Call, Reply } from '../../llm/types.ts'
import type { RouteResponse } from '../route-response.ts'
import { eventStream } from '../sse.ts'
import { frames } from './chat.ts'

/** Where the frames of an answer are kept, and read by whoever comes back. */
export type KeptStream = Readonly<{
  id: string
  lastFrame: number
  endsWith: (frame: number) => boolean
  write: (frames: AsyncIterable<string>) => Promise<void>
  read: (after: number, client: AbortSignal) => AsyncIterable<Uint8Array>
}>

export type ReaderOptions = Readonly<{
  clock: Clock
  /** Aborts when who reads has gone. */
  client: AbortSignal
  /** Called when who reads has gone. Others may read on. */
  abort: (reason: GatewayError) => void
}>

const STREAM_ID = /^chat_[\da-f]{32}$/
const FRAME = /^\d{1,10}$/
const nothing = (): void => {}

/** Whether a request asks for a stream that outlives its connection. */
export const wantsResume = ({ headers }: Request): boolean => headers.get('x-gateway-resume') === 'true'

/** An answer whose stream could not be kept says so, and is given all the same. */
export const refusedResume = (response: RouteResponse): RouteResponse => ({
  ...response,
  headers: { ...response.headers, 'x-gateway-resume': 'refused' },
})

/** The stream's id in a path. @throws GatewayError NOT_FOUND for what cannot be one. */
export const streamIdOf = (id: unknown): string => {
  if (typeof id !== 'string' || !STREAM_ID.test(id)) throw noSuchStream()
  return id
}

export const noSuchStream = (): GatewayError =>
  new GatewayError('NOT_FOUND', 'This stream does not exist, or has expired.')

/** The last frame that whoever comes back has seen. @throws GatewayError INVALID_INPUT */
const lastEventId = (stream: KeptStream, { headers }: Request): number => {
  const sent = headers.get('last-event-id') || '0'
  if (FRAME.test(sent) && Number(sent) <= stream.lastFrame) return Number(sent)
  const message = `must be the id of an event of this stream: at most ${stream.lastFrame}, or nothing for all of it`
  throw new GatewayError('INVALID_INPUT', `Last-Event-ID ${message}.`, {
    details: [{ path: 'Last-Event-ID', message }],
  })
}

const reading = (
  stream: KeptStream,
  after: number,
  { clock, client, abort }: ReaderOptions,
  startWithPing = false,
): RouteResponse => ({
  ...eventStream(stream.read(after, client), { clock, abort, startWithPing }),
  headers: { 'x-gateway-stream-id': stream.id },
})

/** A reply whose frames are written to `stream`, and the first who reads them. Ends with the last frame. */
export const resumableResponse = (
  call: Call,
  reply: Reply,
  stream: KeptStream,
  { clock, client }: Omit<ReaderOptions, 'abort'>,
): RouteResponse => {
  const ended = stream.write(frames(call, reply, clock)).catch(thrown => {
    call.journal.error ??= toGatewayError(thrown)
  })
  return { ...reading(stream, 0, { clock, client, abort: nothing }), ended }
}

/**
 * The rest of a stream for whoever comes back: all that follows on their Last-Event-ID, then live. Empty (204,
 * upon which an EventSource does not come back again) where they have seen its end. It begins at once, with a comment
 * where nothing has come meanwhile.
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
