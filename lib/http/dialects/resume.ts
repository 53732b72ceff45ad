import type { Clock } from '../../clock.ts'
import { GatewayError, toGatewayError } from '../../errors.ts'
import type { Call, Reply } from '../../llm/types.ts'
import type { Answer } from '../answer.ts'
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
  abandon: (reason: GatewayError) => void
}>

const STREAM_ID = /^chat_[\da-f]{32}$/
const FRAME = /^\d{1,10}$/
const nothing = (): void => {}

/** Whether a request asks for a stream that outlives its connection. */
export const wantsResume = ({ headers }: Request): boolean => headers.get('x-gateway-resume') === 'true'

/** An answer whose stream could not be kept says so, and is given all the same. */
export const refusedResume = (answer: Answer): Answer => ({
  ...answer,
  headers: { ...answer.headers, 'x-gateway-resume': 'refused' },
})

/** The stream's id in a path. @throws GatewayError NOT_FOUND for what cannot be one. */
export const streamIdOf = (id: unknown): string => {
  if (typeof id !== 'string' || !STREAM_ID.test(id)) throw noSuchStream()
  return id
}

export const noSuchStream = (): GatewayError =>
  new GatewayError('NOT_FOUND', 'There is no such stream, or not any more.')

/** The last frame that whoever comes back has seen. @throws GatewayError INVALID_INPUT */
const lastSeen = (stream: KeptStream, { headers }: Request): number => {
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
  { clock, client, abandon }: ReaderOptions,
  greets = false,
): Answer => ({
  ...eventStream(stream.read(after, client), { clock, abandon, greets }),
  headers: { 'x-gateway-stream-id': stream.id },
})

/** A reply whose frames are written to `stream`, and the first who reads them. Ends with the last frame. */
export const resumableAnswer = (
  call: Call,
  reply: Reply,
  stream: KeptStream,
  { clock, client }: Omit<ReaderOptions, 'abandon'>,
): Answer => {
  const ended = stream.write(frames(call, reply, clock)).catch(thrown => {
    call.journal.error ??= toGatewayError(thrown)
  })
  return { ...reading(stream, 0, { clock, client, abandon: nothing }), ended }
}

/**
 * The rest of a stream for whoever comes back: all that follows on their Last-Event-ID, then live. Empty (204,
 * upon which an EventSource does not come back again) where they have seen its end. It begins at once, with a comment
 * where nothing has come meanwhile.
 */
export const resumedAnswer = (stream: KeptStream, request: Request, options: ReaderOptions): Answer => {
  const after = lastSeen(stream, request)
  return stream.endsWith(after)
    ? { status: 204 }
    : reading(stream, after, options, after === stream.lastFrame)
}
