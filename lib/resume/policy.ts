import { ownerOf } from '../caller.ts'
import type { Handler } from '../compose.ts'
import { type Change, transform } from '../llm/events.ts'
import type { Call, Reply } from '../llm/types.ts'
import type { ResumableStream } from './stream.ts'
import type { Streams } from './streams.ts'

const STOPPED: Change = { events: [{ type: 'finish', reason: 'stopped' }], ends: true }

/** The reply's events, which a stop ends with a regular finish. */
const stoppable = (reply: Reply, stream: ResumableStream): Reply =>
  transform(reply, events => {
    if (stream.stopped) return STOPPED
    stream.onEvents(events)
    return { events }
  })

const opened = async (call: Call, next: Handler<Call, Reply>, streams: Streams): Promise<Reply> => {
  const owner = ownerOf(call.caller)
  if (owner === undefined) return next(call)
  const controller = new AbortController()
  const onAbort = () => controller.abort(call.signal.reason)
  if (call.signal.aborted) onAbort()
  else call.signal.addEventListener('abort', onAbort, { once: true })
  const reply = await next({ ...call, signal: controller.signal })
  const stream = streams.open({ id: reply.head.id, owner, abort: reason => controller.abort(reason) })
  if (!stream) return reply
  const head = { ...reply.head, id: stream.id, resumable: true as const }
  return stoppable({ ...reply, head }, stream)
}

/**
 * Gives an answer that is to outlive its connection a stream of its own, under the answer's id. The receiver of a reply
 * whose head is `resumable` has to write its frames there. Without a free slot, or without an owner, the answer is an
 * ordinary one.
 */
export const resume = (streams: Streams) =>
  function resume(call: Call, next: Handler<Call, Reply>): Promise<Reply> {
    return call.resume ? opened(call, next, streams) : next(call)
  }
