import { failureOf, unreachable } from './failure.ts'
import { type OnPosition, positionOf, resumableStream } from './resumable-stream.ts'
import type { ChatEvent, ChatRequest } from './wire.ts'

/**
 * Requests an answer and yields its events, in the batches in which they arrived; resumes it when the connection is
 * lost. Never throws: ends with exactly one `done` or `error`, or without either once `signal` is aborted.
 *
 * @param onPosition called where the stream is resumable: at its start, and before each batch with the position after it
 */
export async function* ask(
  request: ChatRequest,
  signal: AbortSignal,
  onPosition: OnPosition = () => undefined,
): AsyncGenerator<ChatEvent[]> {
  const response = await post(request, signal)
  if (signal.aborted) return
  if (!response) {
    yield [{ type: 'error', failure: unreachable(navigator.onLine) }]
  } else if (!response.ok || !response.body) {
    yield [{ type: 'error', failure: await failureOf(response) }]
  } else {
    const start = positionOf(response)
    if (start) onPosition(start)
    yield* resumableStream(response, signal, undefined, onPosition)
  }
}

function post(request: ChatRequest, signal: AbortSignal): Promise<Response | undefined> {
  return fetch('/api/chat', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', 'x-gateway-resume': 'true' },
    body: JSON.stringify({ ...request, stream: true }),
    signal,
  }).catch(() => undefined)
}
