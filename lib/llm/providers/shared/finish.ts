import type { ReplyEvent } from '../../types.ts'
import type { ReplyPart } from './reply-part.ts'

type Finish = Extract<ReplyEvent, { type: 'finish' }>

const NO_FINISH_REASON = 'The provider did not say why the answer ended; it may be incomplete.'

/**
 * The finish event of a complete answer. A refusal's reason is `content_filter` where the vendor reports `stop`, as
 * OpenAI does. Without a reason from the vendor it is `other` with a warning; undefined where there is no text either,
 * since that is not an answer.
 */
export const finishEvent = (
  answer: Readonly<{ finish: ReplyPart['finish']; refused: boolean; hasText: boolean }>,
): Finish | undefined => {
  const { finish, refused, hasText } = answer
  if (finish)
    return {
      type: 'finish',
      ...finish,
      ...(refused && finish.reason === 'stop' && { reason: 'content_filter' as const }),
    }
  return hasText ? { type: 'finish', reason: 'other', warnings: [NO_FINISH_REASON] } : undefined
}
