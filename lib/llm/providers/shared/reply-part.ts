import type { GatewayError } from '../../../errors.ts'
import type { FinishReason } from '../../types.ts'
import type { ReportedUsage } from './usage.ts'

/** What one upstream event says, in our words. A vendor's translator makes these; nothing of it is kept. */
export type ReplyPart = Readonly<{
  text?: string | undefined
  /** The text is the model's refusal to answer. */
  refused?: true | undefined
  finish?: Readonly<{ reason: FinishReason; raw: string }> | undefined
  usage?: ReportedUsage | undefined
  error?: GatewayError
  /** Holds nothing of the answer, and is nothing that the protocol knows. */
  ignored?: true | undefined
  /** The protocol's own end mark. */
  end?: true
}>
