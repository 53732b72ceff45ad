import { resumedStream, type StreamPosition } from './resumable-stream.ts'
import type { Expense } from './wire.ts'

/** Ends an answer at the gateway, and resolves with all of its text; with undefined where that fails. */
export async function stopAnswer(streamId: string): Promise<string | undefined> {
  // The page may close right after stopping.
  const response = await fetch(`/api/chat/${streamId}/stop`, { method: 'POST', keepalive: true }).catch(
    () => undefined,
  )
  if (!response?.ok) return undefined
  const fields = (await response.json().catch(() => undefined)) as { content?: unknown } | undefined
  return typeof fields?.content === 'string' ? fields.content : undefined
}

const END_WITHIN_MS = 10_000

/** What a stopped answer has used and cost, as the end of its stream says; undefined where that is out of reach. */
export async function expenseOf(position: StreamPosition): Promise<Expense | undefined> {
  for await (const events of resumedStream(position, AbortSignal.timeout(END_WITHIN_MS)))
    for (const event of events) {
      if (event.type === 'done') return event.facts
      if (event.type === 'error') return event.failure.expense
    }
  return undefined
}
