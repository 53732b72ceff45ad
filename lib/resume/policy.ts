import type { Handler } from '../compose.ts'
import type { Call, EventGroup, Reply } from '../llm/types.ts'
import { ownerOf } from '../request-context.ts'
import type { ResumableStream } from './stream.ts'
import type { Streams } from './streams.ts'

type Step = IteratorResult<EventGroup>

const STOPPED: Step = { done: false, value: [{ type: 'finish', reason: 'stopped' }] }

/** Events of an answer that can be stopped: after that only a regular finish event follows. */
class StoppableEvents implements AsyncIterableIterator<EventGroup> {
  readonly #source: AsyncIterator<EventGroup>
  readonly #stream: ResumableStream
  #over = false

  constructor(events: Reply['events'], stream: ResumableStream) {
    this.#source = events[Symbol.asyncIterator]()
    this.#stream = stream
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<Step> {
    if (this.#over) return Promise.resolve({ done: true, value: undefined })
    return this.#source.next().then(this.#observe)
  }

  async return(): Promise<Step> {
    this.#over = true
    await this.#source.return?.()
    return { done: true, value: undefined }
  }

  readonly #observe = (step: Step): Step | Promise<Step> => {
    if (this.#stream.stopped) return this.return().then(() => STOPPED)
    if (!step.done) this.#stream.onEvents(step.value)
    return step
  }
}

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
  return { ...reply, head, events: new StoppableEvents(reply.events, stream) }
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
