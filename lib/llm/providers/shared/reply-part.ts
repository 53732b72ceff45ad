import type { GatewayError } from '../../../errors.ts'
import type { FinishReason } from '../../types.ts'
import type { ReportedUsage } from './usage.ts'

/** One upstream event in our terms, made by a vendor's translator and not retained. */
export type ReplyPart = Readonly<{
  text?: string | undefined
  /** The text is the model's refusal to answer. */
  refused?: true | undefined
  finish?: Readonly<{ reason: FinishReason; raw: string }> | undefined
  usage?: ReportedUsage | undefined
  error?: GatewayError
  /** Holds no part of the answer, and is unknown to the protocol. */
  ignored?: true | undefined
  /** The protocol's own end mark. */
  end?: true
}>
