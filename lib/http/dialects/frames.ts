import type { GatewayError } from '../../errors.ts'
import { type Finish, unfinished } from '../../llm/events.ts'
import type { Reply, ReplyEvent, Usage } from '../../llm/types.ts'
import { type BodyEnd, type Pieces, piecesWithEnd } from '../pieces.ts'

/** Writes a reply as the frames of an event stream in one format. */
export type FrameWriter = Readonly<{
  /** What is sent with the first event. */
  start?: () => string
  /** The frames of an event; empty where it has none. */
  write: (event: Exclude<ReplyEvent, Readonly<{ type: 'finish' | 'error' }>>) => string
  /** What follows the last event of a complete answer. */
  end: (finish: Finish, usage: Usage) => string | Promise<string>
  /** What follows the last event of one that failed. */
  fail: (error: GatewayError) => string | Promise<string>
}>

async function* framesIn(
  reply: Reply,
  writer: FrameWriter,
  onEnd: (end: BodyEnd) => void,
): AsyncGenerator<string> {
  let pending = writer.start?.() ?? ''
  let finish: Finish | undefined
  let error: GatewayError | undefined
  for await (const group of reply.events) {
    for (const event of group)
      if (event.type === 'finish') finish = event
      else if (event.type === 'error') error = event.error
      else pending += writer.write(event)
    // What comes together with the end is written together with it.
    if (finish || error || pending === '') continue
    yield pending
    pending = ''
  }
  const last =
    finish && !error ? await writer.end(finish, await reply.usage) : await writer.fail(error ?? unfinished())
  onEnd(finish && !error ? 'complete' : 'failed')
  yield pending + last
}

/** A reply's frames, those of one group of events together. Its `end` is known with the last one. */
export const framesOf = (reply: Reply, writer: FrameWriter): Pieces<string> =>
  piecesWithEnd(onEnd => framesIn(reply, writer, onEnd))
