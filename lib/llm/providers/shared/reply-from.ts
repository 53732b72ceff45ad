import type { SseEvent } from '../../../sse-parser.ts'
import type { Call, Reply, ReplyHead } from '../../types.ts'
import { type Fragment, streamedReply } from './streamed-reply.ts'
import { estimatedInputTokens } from './tokens.ts'
import { readText, type UpstreamResponse } from './upstream.ts'
import { connectionError, nonsenseError } from './upstream-error.ts'
import { wholeReply } from './whole-reply.ts'

/** A vendor's two ways of answering, in our words. */
export type Translators = Readonly<{
  whole: (body: string) => Fragment
  event: (event: SseEvent) => Fragment
}>

const MAX_ANSWER_BYTES = 8 * 1024 * 1024

/**
 * An upstream's successful response as a reply: as a stream where it is one, also when none was asked for, and
 * as a whole where it is not. Resolves when the first content is in hand.
 */
export const replyFrom = async (
  response: UpstreamResponse,
  call: Call,
  head: ReplyHead,
  translators: Translators,
): Promise<Reply> => {
  const { provider } = head.target
  const encoding = response.get('content-encoding')
  if (encoding && encoding !== 'identity') {
    response.body.destroy()
    throw nonsenseError(provider, 'an encoding nobody asked for')
  }
  if (response.get('content-type')?.includes('text/event-stream'))
    return streamedReply({
      head,
      body: response.body,
      signal: call.signal,
      translate: translators.event,
      estimatedInputTokens: () => estimatedInputTokens(call),
    })
  const body = await readText(response.body, MAX_ANSWER_BYTES).catch(thrown => {
    throw thrown instanceof RangeError
      ? nonsenseError(provider, thrown.message)
      : connectionError(provider, call.signal, thrown)
  })
  return wholeReply(head, translators.whole(body), () => estimatedInputTokens(call))
}
