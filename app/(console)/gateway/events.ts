import { type SseEvent, SseParser } from '#lib/sse-parser.ts'
import { cutShort, failureFromEnvelope } from './failure.ts'
import type { ChatEvent, Facts, Failure, Start } from './wire.ts'

/** The gateway pings every 15 s; after three missed pings the connection is taken for dead. */
const SILENCE_MS = 45_000

export type Batch = {
  events: ChatEvent[]
  /** What to come back with if nothing follows; empty where the events have no ids. */
  lastEventId: string
}

/**
 * The events that come over one connection, in the batches in which they came.
 * Ends with the answer's last event, or without one where the connection broke, was silent for too long or is aborted.
 */
export async function* eventsOf(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Batch> {
  const reader = body.getReader()
  const parser = new SseParser(Number.POSITIVE_INFINITY)
  for (;;) {
    const chunk = await readWithin(reader, SILENCE_MS)
    if (!chunk || signal.aborted) return
    const events = parser.push(chunk).flatMap(toEvent)
    if (events.length > 0) yield { events, lastEventId: parser.lastEventId }
    if (events.some(isLast)) return
  }
}

export const isLast = (event: ChatEvent) => event.type === 'done' || event.type === 'error'

/** The next bytes, or `undefined` when the stream ended, broke, or was silent for too long. */
async function readWithin(reader: ReadableStreamDefaultReader<Uint8Array>, ms: number) {
  const timer = setTimeout(() => void reader.cancel(), ms)
  const result = await reader.read().catch(() => undefined)
  clearTimeout(timer)
  return result?.value
}

function toEvent({ event, data }: SseEvent): ChatEvent[] {
  const payload = parsed(data)
  if (payload === undefined) return []
  if (event === 'start') return [{ type: 'start', start: payload as Start }]
  if (event === 'delta') return [{ type: 'delta', text: (payload as { text: string }).text }]
  if (event === 'done') return [{ type: 'done', facts: payload as Facts }]
  const failure = event === 'error' && failureFromEnvelope(payload)
  return failure ? [{ type: 'error', failure: asSeenFromHere(failure) }] : []
}

/** An answer that the gateway gave up because this page was away for too long. */
function asSeenFromHere(failure: Failure): Failure {
  return failure.code === 'CLIENT_GONE' ? cutShort(failure.requestId) : failure
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data)
  } catch {
    return undefined
  }
}
