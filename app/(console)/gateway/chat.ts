import { failureOf, unreachable } from './failure.ts'
import { resumableStream, streamIdOf } from './resumable-stream.ts'
import type { ChatEvent, ChatRequest } from './wire.ts'

/**
 * Requests an answer and yields its events, in the batches in which they arrived; resumes it when the connection is
 * lost. Never throws: ends with exactly one `done` or `error`, or without either once `signal` is aborted.
 *
 * @param onKept called with the id under which the answer can be stopped, where the stream is resumable
 */
export async function* ask(
  request: ChatRequest,
  signal: AbortSignal,
  onKept: (streamId: string) => void = () => undefined,
): AsyncGenerator<ChatEvent[]> {
  const response = await post(request, signal)
  if (signal.aborted) return
  if (!response) {
    yield [{ type: 'error', failure: unreachable(navigator.onLine) }]
  } else if (!response.ok || !response.body) {
    yield [{ type: 'error', failure: await failureOf(response) }]
  } else {
    const streamId = streamIdOf(response)
    if (streamId) onKept(streamId)
    yield* resumableStream(response, signal)
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
