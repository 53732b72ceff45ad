import { eventsOf, isLast } from './events.ts'
import { cutShort } from './failure.ts'
import { pause } from './pause.ts'
import { ReconnectBackoff } from './reconnect-backoff.ts'
import type { ChatEvent } from './wire.ts'

/** The gateway replies to a reconnecting client at once; a lost request is retried after this. */
const REPLY_MS = 10_000

/** Where an answer's stream is resumed. */
export type StreamPosition = {
  streamId: string
  /** The Last-Event-ID: of the last event received, or empty before the first one. */
  lastEventId: string
  requestId?: string
}

/** Called before each batch of events with the position after it; only for streams that can be resumed. */
export type OnPosition = (position: StreamPosition) => void

const ignore: OnPosition = () => undefined

/** The start of a response's stream; `undefined` where it cannot be resumed. */
export function positionOf({ headers }: Response): StreamPosition | undefined {
  const streamId = headers.get('x-gateway-stream-id')
  const requestId = headers.get('x-request-id')
  return streamId ? { streamId, lastEventId: '', ...(requestId && { requestId }) } : undefined
}

/**
 * An answer's events across reconnects, each event once. Ends with exactly one `done` or `error`,
 * or without either once `signal` is aborted.
 */
export async function* resumableStream(
  response: Response,
  signal: AbortSignal,
  backoff = new ReconnectBackoff(),
  onPosition = ignore,
): AsyncGenerator<ChatEvent[]> {
  const requestId = response.headers.get('x-request-id')
  yield* eventsAcross(response.body, positionOf(response), requestId, { signal, backoff, onPosition })
}

/** The rest of an answer whose first part is known, for instance after the page was reloaded; otherwise the same. */
export async function* resumedStream(
  position: StreamPosition,
  signal: AbortSignal,
  backoff = new ReconnectBackoff(),
  onPosition = ignore,
): AsyncGenerator<ChatEvent[]> {
  const response = await comeBack(position, signal)
  let body = response?.ok ? response.body : null
  if (!body && (!response || mayPass(response.status))) {
    yield [{ type: 'lost' }]
    body = await resumedBody(position, backoff, signal)
    if (body) yield [{ type: 'back' }]
  }
  yield* eventsAcross(body, position, position.requestId, { signal, backoff, onPosition })
}

type Reading = { signal: AbortSignal; backoff: ReconnectBackoff; onPosition: OnPosition }

async function* eventsAcross(
  first: ReadableStream<Uint8Array> | null,
  start: StreamPosition | undefined,
  requestId: string | null | undefined,
  { signal, backoff, onPosition }: Reading,
): AsyncGenerator<ChatEvent[]> {
  let position = start
  let body = first
  while (body) {
    for await (const { events, lastEventId } of eventsOf(body, signal)) {
      position = position && { ...position, lastEventId: lastEventId || position.lastEventId }
      backoff.renew()
      if (position) onPosition(position)
      yield events
      if (events.some(isLast)) return
    }
    body = null
    if (signal.aborted) return
    if (!position) break
    yield [{ type: 'lost' }]
    body = await resumedBody(position, backoff, signal)
    if (body) yield [{ type: 'back' }]
  }
  if (!signal.aborted) yield [{ type: 'error', failure: cutShort(requestId) }]
}

/** The stream after the last event received, over a new connection; `null` where it is unavailable. */
async function resumedBody(position: StreamPosition, backoff: ReconnectBackoff, signal: AbortSignal) {
  for (;;) {
    const pauseMs = backoff.next()
    if (pauseMs === undefined) return null
    await pause(pauseMs, signal)
    if (signal.aborted) return null
    const response = await comeBack(position, signal)
    if (response?.ok) return response.body
    if (response && !mayPass(response.status)) return null
  }
}

/** The gateway's reply, or `undefined` on a timeout. */
function comeBack(
  { streamId, lastEventId }: StreamPosition,
  signal: AbortSignal,
): Promise<Response | undefined> {
  const tooLate = new AbortController()
  const timer = setTimeout(() => tooLate.abort(), REPLY_MS)
  return fetch(`/api/chat/${streamId}/stream`, {
    headers: { accept: 'text/event-stream', ...(lastEventId && { 'last-event-id': lastEventId }) },
    signal: AbortSignal.any([signal, tooLate.signal]),
  })
    .catch(() => undefined)
    .finally(() => clearTimeout(timer))
}

const mayPass = (status: number) => status === 429 || status >= 500
