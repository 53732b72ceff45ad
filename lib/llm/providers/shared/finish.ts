import type { ReplyEvent } from '../../types.ts'
import type { ReplyPart } from './reply-part.ts'

type Finish = Extract<ReplyEvent, { type: 'finish' }>

const NO_FINISH_REASON = 'The provider did not say why the answer ended; it may be incomplete.'

/**
 * The end of an answer that is complete. A refusal's reason is `content_filter` where the vendor says `stop`, as
 * OpenAI does. An answer whose vendor gave no reason ends with `other` and a warning; undefined where it has no text
 * either, since that is no answer.
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
