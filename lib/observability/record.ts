import type { Policy } from '../compose.ts'
import { tap } from '../llm/tap.ts'
import type { Call, Reply } from '../llm/types.ts'

/** Observes every call once, whatever its outcome, and records the answer in the journal. */
export const record = (): Policy<Call, Reply> =>
  async function record(call, next) {
    const { journal } = call
    const reply = await next(call)
    journal.usage = reply.usage
    journal.head = reply.head
    return tap(reply, {
      onEvents(events) {
        for (const event of events) {
          if (event.type === 'finish') journal.finishReason = event.reason
          else if (event.type === 'error') journal.error = event.error
        }
      },
    })
  }
