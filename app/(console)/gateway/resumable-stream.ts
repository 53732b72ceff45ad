import { eventsOf, isLast } from './events.ts'
import { cutShort } from './failure.ts'
import { pause } from './pause.ts'
import { ReconnectBackoff } from './reconnect-backoff.ts'
import type { ChatEvent } from './wire.ts'

/** The gateway replies to a reconnecting client at once; a lost request is retried after this. */
const REPLY_MS = 10_000

/** The URL to resume the answer after a lost connection; absent where the stream is not resumable. */
export const streamIdOf = ({ headers }: Response): string | undefined =>
  headers.get('x-gateway-stream-id') ?? undefined

/**
 * An answer's events across reconnects, each event once. Ends with exactly one `done` or `error`,
 * or without either once `signal` is aborted.
 */
export async function* resumableStream(
  response: Response,
  signal: AbortSignal,
  backoff = new ReconnectBackoff(),
): AsyncGenerator<ChatEvent[]> {
  const streamId = streamIdOf(response)
  let body = response.body
  let resumeFrom = ''
  while (body) {
    for await (const { events, lastEventId } of eventsOf(body, signal)) {
      resumeFrom = lastEventId
      backoff.renew()
      yield events
      if (events.some(isLast)) return
    }
    body = null
    if (signal.aborted) return
    if (!streamId) break
    yield [{ type: 'lost' }]
    body = await resumedBody(streamId, resumeFrom, backoff, signal)
    if (body) yield [{ type: 'back' }]
  }
  if (!signal.aborted) yield [{ type: 'error', failure: cutShort(response.headers.get('x-request-id')) }]
}

/** The stream after the last event received, over a new connection; `null` where it is unavailable. */
async function resumedBody(
  streamId: string,
  resumeFrom: string,
  backoff: ReconnectBackoff,
  signal: AbortSignal,
) {
  for (;;) {
    const pauseMs = backoff.next()
    if (pauseMs === undefined) return null
    await pause(pauseMs, signal)
    if (signal.aborted) return null
    const response = await comeBack(streamId, resumeFrom, signal)
    if (response?.ok) return response.body
    if (response && !mayPass(response.status)) return null
  }
}

/** The gateway's reply, or `undefined` on a timeout. */
function comeBack(streamId: string, resumeFrom: string, signal: AbortSignal): Promise<Response | undefined> {
  const tooLate = new AbortController()
  const timer = setTimeout(() => tooLate.abort(), REPLY_MS)
  return fetch(`/api/chat/${streamId}/stream`, {
    headers: { accept: 'text/event-stream', ...(resumeFrom && { 'last-event-id': resumeFrom }) },
    signal: AbortSignal.any([signal, tooLate.signal]),
  })
    .catch(() => undefined)
    .finally(() => clearTimeout(timer))
}

const mayPass = (status: number) => status === 429 || status >= 500
