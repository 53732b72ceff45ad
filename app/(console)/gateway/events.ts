import type { SseEvent } from '#lib/sse-parser.ts'
import { cutShort, failureFromEnvelope } from './failure.ts'
import { framesOf } from './frames.ts'
import { parsedJson } from './parsed-json.ts'
import type { ChatEvent, Expense, Facts, Failure, Start, ToolRun } from './wire.ts'

export type Batch = {
  events: ChatEvent[]
  /** The Last-Event-ID for reconnecting; empty where the events have no ids. */
  lastEventId: string
}

/**
 * The events of one connection, in the batches in which they arrived.
 * Ends with the answer's last event, or without one where the connection broke, was silent for too long or is aborted.
 */
export async function* eventsOf(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Batch> {
  for await (const { frames, lastEventId } of framesOf(body, signal)) {
    const events = frames.flatMap(toEvent)
    if (events.length > 0) yield { events, lastEventId }
    if (events.some(isLast)) return
  }
}

export const isLast = (event: ChatEvent) => event.type === 'done' || event.type === 'error'

function toEvent({ event, data }: SseEvent): ChatEvent[] {
  const payload = parsedJson(data)
  if (payload === undefined) return []
  if (event === 'start') return [{ type: 'start', start: payload as Start }]
  if (event === 'delta') return [{ type: 'delta', text: (payload as { text: string }).text }]
  if (event === 'tool') return [{ type: 'tool', tool: toolRunIn(payload as ToolPayload) }]
  if (event === 'done') return [{ type: 'done', facts: payload as Facts }]
  const failure = event === 'error' && failureFromEnvelope(payload)
  return failure ? [{ type: 'error', failure: { ...asClientError(failure), ...expenseIn(payload) } }] : []
}

type ToolPayload = Pick<ToolRun, 'id' | 'name' | 'state'> & {
  result?: { service?: string; attribution?: string; error?: { message?: string } }
}

/** The data of a result is for the model, and is not kept. */
function toolRunIn({ id, name, state, result }: ToolPayload): ToolRun {
  const source = result?.attribution ?? result?.service
  const reason = result?.error?.message
  return { id, name, state, ...(source && { source }), ...(reason && { reason }) }
}

function expenseIn(payload: unknown): { expense?: Expense } {
  const { usage, costUsd } = payload as Partial<Expense>
  return usage && costUsd !== undefined ? { expense: { usage, costUsd } } : {}
}

/** An answer that the gateway aborted because this page was disconnected for too long. */
function asClientError(failure: Failure): Failure {
  return failure.code === 'CLIENT_GONE' ? cutShort(failure.requestId) : failure
}
