import type { GatewayError } from '../errors.ts'
import type { Attempt, RequestContext } from '../request-context.ts'
import type { AttemptBudget } from './attempt-budget.ts'

export type Role = 'system' | 'user' | 'assistant'

export type Message = Readonly<{ role: Role; content: string }>

/** One model of one provider. */
export type Target = Readonly<{
  provider: string
  /** The provider's own name of the model, passed on as it is. */
  model: string
  /** Our name of it: what a client may ask for, and what replies and logs say. */
  name: string
}>

/**
 * `default`: as the surface has it; `use`: may be answered from the cache, asked for expressly; `refresh`: ask
 * anew and store; `no-store`: neither.
 */
export type CacheMode = 'default' | 'use' | 'refresh' | 'no-store'

/**
 * When a surface caches what no client asks for expressly. `deterministic`: at temperature 0; `on-request`:
 * never.
 */
export type CacheWhen = 'always' | 'deterministic' | 'on-request'

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
    /** `always` when absent. */
    cacheWhen?: CacheWhen | undefined
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
    /** What it may still ask of targets. The only thing of a call that changes, and the same for all copies of it. */
    attempts: AttemptBudget
    /** Another target of the plan has failed before. */
    standIn?: true
  }>

/** `stopped`: its reader ended it. */
export type FinishReason = 'stop' | 'length' | 'content_filter' | 'tool_calls' | 'stopped' | 'other'

/** Tokens of one answer. What the provider did not report is absent, never zero. */
export type Usage = Readonly<{
  inputTokens: number
  outputTokens: number
  /** Part of `inputTokens`. */
  cachedInputTokens?: number
  /** Part of `inputTokens` too: put into the provider's own cache, which costs more than reading them. */
  cacheWriteInputTokens?: number
  /** Part of `outputTokens`. */
  reasoningTokens?: number
  /** Whole picodollars (1e-12 US dollars); absent where the price is unknown. */
  costPicoUsd?: number
  /** Some of it was counted or corrected by us, because the provider's own count never came or cannot be right. */
  estimated?: true
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

/** How the cache came by an answer, in the words of RFC 9211. */
export type CacheTrace = Readonly<{
  /** Why the upstream was asked; absent where it was not. */
  forwarded?: 'miss' | 'stale' | 'request' | 'bypass'
  /** One upstream call serves this request and another. */
  collapsed?: true
  /** Clock time, milliseconds, until which a repeated answer was or will be fresh. */
  freshUntil?: number
  /** Why an answer was given after its time: one token. */
  detail?: string
}>

export type ReplyHead = Readonly<{
  id: string
  target: Target
  cache: 'miss' | 'hit' | 'stale' | 'bypass'
  /** Clock time, milliseconds, at which a repeated answer was first given. */
  storedAt?: number
  cacheTrace?: CacheTrace
  /** Another model than the one asked for answers. */
  fallback?: true
  /** It outlives its connection, under its id. */
  resumable?: true
  /** What of the call could not be honoured, one sentence each; absent where all of it was. */
  warnings?: readonly string[]
}>

/** What a provider says is left of its limits: a share from 0 to 1, until the clock time when it is full again. */
export type RateHeadroom = Readonly<{ share: number; resetAt: number }>

/** Whether an answer was given before, or is being given to somebody else too, and so costs nothing again. */
export const isRepeated = ({ cache }: ReplyHead): boolean => cache === 'hit' || cache === 'stale'

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
