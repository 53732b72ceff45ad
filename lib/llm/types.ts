import type { GatewayError } from '../errors.ts'
import type { Attempt, RequestContext } from '../request-context.ts'
import type { FinishReason, ReplyHead, Target, Usage } from './reply-head.ts'

export type { CacheTrace, FinishReason, ReplyHead, Target, Usage } from './reply-head.ts'
export { isRepeated } from './reply-head.ts'

export type Role = 'system' | 'user' | 'assistant'

export type Message = Readonly<{ role: Role; content: string }>

/** `default`: may be answered from the cache; `refresh`: ask anew and store; `no-store`: neither. */
export type CacheMode = 'default' | 'refresh' | 'no-store'

/**
 * One question to a model, on its way inwards. Immutable and complete from birth: a policy that knows better
 * passes on a changed copy, `next({ ...call, caller })`.
 */
export type Call = RequestContext &
  Readonly<{
    messages: readonly Message[]
    /** The name that was asked for; `plan` holds what became of it. */
    model: string
    /** Whether the client wants the answer piece by piece; the reply's shape is the same. */
    stream: boolean
    /** 0 to 2; the provider's own default when absent. */
    temperature?: number | undefined
    maxOutputTokens: number
    /**
     * Clock time, milliseconds: until when the first content of a stream, or the whole of any other answer, must
     * have come. A policy may shorten it for what stands below.
     */
    deadlineAt: number
    /** Longest answer this surface gives, in UTF-8 bytes; unlimited when absent. */
    maxResponseBytes?: number | undefined
    cache: CacheMode
    /** Labels for the answer, by which it can be invalidated. */
    cacheTags?: readonly string[] | undefined
    /** Whether another model than the one asked for may answer. */
    fallback: boolean
    /** Nobody waits for it: it gives way to calls that somebody waits for. */
    background?: true
    /** Whether the answer shall outlive its connection, so that the caller can come back to it, or stop it. */
    resume?: true
    /** Who should answer, best first. Empty until routed; the first one is asked, the others stand behind it. */
    plan: readonly Target[]
  }>

/** What a reply is made of, in order: any number of deltas, then exactly one `finish` or `error`. */
export type ReplyEvent =
  | Readonly<{ type: 'text-delta'; text: string }>
  | Readonly<{
      type: 'finish'
      reason: FinishReason
      /** The provider's own word for it. */
      raw?: string
      truncated?: true
      /** What was learned of the answer only at its end, one sentence each. */
      warnings?: readonly string[]
    }>
  | Readonly<{ type: 'error'; error: GatewayError }>

/** What a provider says is left of its limits: a share from 0 to 1, until the clock time when it is full again. */
export type RateHeadroom = Readonly<{ share: number; resetAt: number }>

/**
 * An answer on its way outwards, the same whether or not the client asked for a stream.
 *
 * - `events` come in the batches in which they came off the socket, can be read once, and never throw: what
 *   fails after the first content is an `error` event. Leaving early (`return`) stops the upstream.
 * - `usage` settles once the events have ended, however they ended, and never rejects.
 */
export type Reply = Readonly<{
  head: ReplyHead
  usage: Promise<Usage>
  /** The attempt that it came from; absent where nobody was asked. */
  attempt?: Attempt
  events: AsyncIterable<readonly ReplyEvent[]>
}>

/**
 * Something that answers calls.
 *
 * `ask` resolves when the first content is in hand, so that until then a policy may still ask another one;
 * it rejects with a GatewayError. When `call.signal` aborts, the upstream connection closes at once, and what
 * was pending fails with the signal's reason.
 */
export interface Provider {
  readonly id: string
  ask(call: Call, target: Target): Promise<Reply>
}
