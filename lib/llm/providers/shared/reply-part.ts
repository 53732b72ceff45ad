import type { GatewayError } from '../../../errors.ts'
import type { FinishReason, ReplyEvent } from '../../types.ts'
import { malformedError } from './malformed.ts'
import type { ReportedUsage } from './usage.ts'

/** A finish reason, ours and the vendor's. */
type Finish = Readonly<{ reason: FinishReason; raw: string }>

/** One upstream event in our terms, made by a vendor's translator and not retained. */
export type ReplyPart = Readonly<{
  /** What it adds to the answer, after the message itself where that is passed on. */
  events?: readonly ReplyEvent[] | undefined
  /** UTF-8 bytes of text that is in none of its events: of further answers to the same call. */
  otherTextBytes?: number | undefined
  finish?: Finish | undefined
  /** Whether further answers to the same call have begun, and not ended; as before where it is absent. */
  areOthersOpen?: boolean
  usage?: ReportedUsage | undefined
  error?: GatewayError
  /** Holds no part of the answer, and is unknown to the protocol. */
  ignored?: true | undefined
  /** The protocol's own end mark. */
  end?: true
}>

/** What is read of a response; where that cannot be read, the error, with the usage that is reported all the same. */
export const partOrError = (
  provider: string,
  usage: ReportedUsage | undefined,
  read: () => ReplyPart,
): ReplyPart => {
  try {
    return read()
  } catch (thrown) {
    return { error: malformedError(provider, thrown), usage }
  }
}

const REASONS: Readonly<Record<Exclude<FinishReason, 'stopped' | 'other'>, string>> = {
  stop: 'stop end end_turn eos eos_token stop_sequence complete completed finished done normal endoftext',
  length:
    'length max_tokens max_token model_length max_length max_output_tokens token_limit error_limit model_context_window_exceeded context_length_exceeded',
  content_filter:
    'content_filter content_filtered safety recitation blocklist prohibited_content spii refusal blocked sensitive error_toxic image_safety image_prohibited_content guardrail_intervened',
  tool_calls: 'tool_calls tool_call tool_use function_call function_calls',
}

const FAILURES =
  'error failed failure abort aborted insufficient_system_resource network_error timeout internal_error server_error'

const normalized = (raw: string): string => {
  const [word = ''] = raw
    .toLowerCase()
    .replace(/[\s_-]/g, '')
    .split(':')
  return word.replace(/^finishreason\.?/, '')
}

const BY_WORD: ReadonlyMap<string, FinishReason> = new Map(
  Object.entries(REASONS).flatMap(([reason, list]) =>
    list
      .split(' ')
      .flatMap(word => [word, normalized(word)].map(key => [key, reason as FinishReason] as const)),
  ),
)
const FAILURE_WORDS: ReadonlySet<string> = new Set(FAILURES.split(' ').map(normalized))

/**
 * Our finish reason for any vendor's, in any case: `MAX_TOKENS`, `end_turn`, `content_filter: SAFETY`. An unknown one
 * is `other`.
 */
export const finishOf = (raw: string): Finish => ({
  reason: BY_WORD.get(raw) ?? BY_WORD.get(normalized(raw)) ?? 'other',
  raw,
})

/** Whether a vendor's finish reason means that the answer ended because of a failure on its side. */
export const isFailedFinish = (raw: string): boolean =>
  !BY_WORD.has(raw) && FAILURE_WORDS.has(normalized(raw))

type FinishEvent = Extract<ReplyEvent, { type: 'finish' }>

const NO_FINISH_REASON = 'The provider did not say why the answer ended; it may be incomplete.'

/**
 * The finish event of a complete answer. A refusal's reason is `content_filter` where the vendor reports `stop`, as
 * OpenAI does. Without a reason from the vendor it is `other` with a warning; undefined where there is no text either,
 * since that is not an answer.
 */
export const finishEvent = (
  answer: Readonly<{ finish: ReplyPart['finish']; refused: boolean; hasContent: boolean }>,
): FinishEvent | undefined => {
  const { finish, refused, hasContent } = answer
  if (finish)
    return {
      type: 'finish',
      ...finish,
      ...(refused && finish.reason === 'stop' && { reason: 'content_filter' as const }),
    }
  return hasContent ? { type: 'finish', reason: 'other', warnings: [NO_FINISH_REASON] } : undefined
}
