import { type SseEvent, SseParser } from '#lib/sse-parser.ts'
import { cutShort, failureFromEnvelope, failureOf, unreachable } from './failure.ts'
import type { ChatEvent, ChatRequest, Facts, Start } from './wire.ts'

/** The gateway pings every 15 s; after three missed pings the connection is taken for dead. */
const SILENCE_MS = 45_000

/**
 * Asks for an answer and yields its events, in the batches in which they came.
 * Never throws: ends with exactly one `done` or `error`, or without either once `signal` is aborted.
 */
export async function* ask(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatEvent[]> {
  const response = await post(request, signal)
  if (signal.aborted) return
  if (!response) {
    yield [{ type: 'error', failure: unreachable(navigator.onLine) }]
  } else if (!response.ok || !response.body) {
    yield [{ type: 'error', failure: await failureOf(response) }]
  } else {
    yield* eventsOf(response.body, response.headers.get('x-request-id'), signal)
  }
}

function post(request: ChatRequest, signal: AbortSignal): Promise<Response | undefined> {
  return fetch('/api/chat', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ ...request, stream: true }),
    signal,
  }).catch(() => undefined)
}

async function* eventsOf(
  body: ReadableStream<Uint8Array>,
  requestId: string | null,
  signal: AbortSignal,
): AsyncGenerator<ChatEvent[]> {
  const reader = body.getReader()
  const parser = new SseParser(Number.POSITIVE_INFINITY)
  for (;;) {
    const chunk = await readWithin(reader, SILENCE_MS)
    if (signal.aborted) return
    if (!chunk) break
    const events = parser.push(chunk).flatMap(toEvent)
    if (events.length > 0) yield events
    if (events.some(isLast)) return
  }
  yield [{ type: 'error', failure: cutShort(requestId) }]
}

/** The next bytes, or `undefined` when the stream ended, broke, or was silent for too long. */
async function readWithin(reader: ReadableStreamDefaultReader<Uint8Array>, ms: number) {
  const timer = setTimeout(() => void reader.cancel(), ms)
  const result = await reader.read().catch(() => undefined)
  clearTimeout(timer)
  return result?.value
}

const isLast = (event: ChatEvent) => event.type === 'done' || event.type === 'error'

function toEvent({ event, data }: SseEvent): ChatEvent[] {
  const payload = parsed(data)
  if (payload === undefined) return []
  if (event === 'start') return [{ type: 'start', start: payload as Start }]
  if (event === 'delta') return [{ type: 'delta', text: (payload as { text: string }).text }]
  if (event === 'done') return [{ type: 'done', facts: payload as Facts }]
  const failure = event === 'error' && failureFromEnvelope(payload)
  return failure ? [{ type: 'error', failure }] : []
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data)
  } catch {
    return undefined
  }
}
