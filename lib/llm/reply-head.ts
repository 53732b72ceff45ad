/** One model of one provider. */
export type Target = Readonly<{
  provider: string
  /** The provider's own name of the model, passed on as it is. */
  model: string
  /** Our name of it: what a client may ask for, and what replies and logs say. */
  name: string
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
  /** US dollars; absent where the price is unknown. */
  costUsd?: number
  /** Some of it was counted or corrected by us, because the provider's own count never came or cannot be right. */
  estimated?: true
}>

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

/** Whether an answer was given before, or is being given to somebody else too, and so costs nothing again. */
export const isRepeated = ({ cache }: ReplyHead): boolean => cache === 'hit' || cache === 'stale'
