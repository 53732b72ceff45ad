import { type SseEvent, SseParser } from '#lib/sse-parser.ts'

/** The gateway pings every 15 s; after three missed pings the connection counts as lost. */
const SILENCE_MS = 45_000

export type Frames = {
  /** May be empty: a ping has no event. */
  frames: SseEvent[]
  /** The Last-Event-ID for reconnecting; empty where the events have no ids. */
  lastEventId: string
}

/**
 * The server-sent events of one connection as they arrive; ends when it breaks, is silent for too long or is aborted.
 */
export async function* framesOf(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Frames> {
  const reader = body.getReader()
  const parser = new SseParser(Number.POSITIVE_INFINITY)
  for (;;) {
    const chunk = await readWithin(reader, SILENCE_MS)
    if (!chunk || signal.aborted) return
    const frames = parser.push(chunk)
    yield { frames, lastEventId: parser.lastEventId }
  }
}

/** The next bytes, or `undefined` when the stream ended, broke, or was silent for too long. */
async function readWithin(reader: ReadableStreamDefaultReader<Uint8Array>, ms: number) {
  const timer = setTimeout(() => void reader.cancel(), ms)
  const result = await reader.read().catch(() => undefined)
  clearTimeout(timer)
  return result?.value
}
