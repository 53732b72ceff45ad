import { oneBatch } from '../../one-batch.ts'
import type { Reply, ReplyEvent, ReplyHead } from '../../types.ts'
import type { Fragment } from './streamed-reply.ts'
import { estimateTokens } from './tokens.ts'

/** An answer that came in one piece, as a stream of one batch; throws what the fragment failed with. */
export const wholeReply = (
  head: ReplyHead,
  fragment: Fragment,
  estimatedInputTokens: () => number,
): Reply => {
  if (fragment.error) throw fragment.error
  const text = fragment.text ?? ''
  const batch: ReplyEvent[] = text === '' ? [] : [{ type: 'text-delta', text }]
  if (fragment.finish) batch.push({ type: 'finish', ...fragment.finish })
  const usage = fragment.usage ?? {
    inputTokens: estimatedInputTokens(),
    outputTokens: estimateTokens(Buffer.byteLength(text)),
    estimated: true,
  }
  return { head, usage: Promise.resolve(usage), events: oneBatch(batch) }
}
