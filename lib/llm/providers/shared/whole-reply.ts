import { oneBatch } from '../../one-batch.ts'
import type { Reply, ReplyEvent, ReplyHead } from '../../types.ts'
import { finishEvent } from './finish.ts'
import type { ReplyPart } from './reply-part.ts'
import { malformedResponse } from './upstream-error.ts'
import { usageOf } from './usage.ts'

/** An answer in one piece, as a stream of one batch; throws the fragment's error. */
export const wholeReply = (
  head: ReplyHead,
  fragment: ReplyPart,
  estimatedInputTokens: () => number,
): Reply => {
  if (fragment.error) throw fragment.error
  const text = fragment.text ?? ''
  const finish = finishEvent({
    finish: fragment.finish,
    refused: fragment.refused ?? false,
    hasText: text !== '',
  })
  if (!finish) throw malformedResponse(head.target.provider, 'missing message')
  const batch: ReplyEvent[] = text === '' ? [finish] : [{ type: 'text-delta', text }, finish]
  const usage = usageOf(fragment.usage, {
    textBytes: Buffer.byteLength(text),
    isComplete: true,
    estimatedInputTokens,
  })
  return { head, usage: Promise.resolve(usage), events: oneBatch(batch) }
}
