/** One model of one provider. */
export type Target = Readonly<{
  provider: string
  /** The provider's own name of the model, passed on as it is. */
  model: string
  /** Our name of it, in requests, replies and logs. */
  name: string
  /** The quality of images that is requested of it, where the chain of image models names one. */
  quality?: string
}>

/** `stopped`: the caller ended it. */
export type FinishReason = 'stop' | 'length' | 'content_filter' | 'tool_calls' | 'stopped' | 'other'

/** Tokens of one answer. Missing input and output counts are estimated; other counts that the provider did not report are absent, never zero. */
export type Usage = Readonly<{
  inputTokens: number
  outputTokens: number
  /** Part of `inputTokens`. */
  cachedInputTokens?: number
  /** Part of `inputTokens` too: put into the provider's own cache, which costs more than reading them. */
  cacheWriteInputTokens?: number
  /** Part of `outputTokens`. */
  reasoningTokens?: number
  /** Parts of `inputTokens` with prices of their own. */
  audioInputTokens?: number
  imageInputTokens?: number
  /** What is billed in place of tokens. */
  billed?: Billed
  /** Whole picodollars (1e-12 US dollars); absent where the price is unknown. */
  costPicoUsd?: number
  /** Some of it was estimated or corrected, because the provider's own count is missing or implausible. */
  estimated?: true
}>

/** An amount that is billed by another unit than tokens; `unknown` where the provider does not report it. */
export type Billed =
  | Readonly<{ unit: 'character' | 'second'; count: number }>
  /** `kind`: quality and size: `hd 1024x1024`. */
  | Readonly<{ unit: 'image'; count: number; kind: string }>
  | Readonly<{ unit: 'unknown' }>

/** The cache's handling of a request, in the terms of RFC 9211. */
export type CacheTrace = Readonly<{
  /** Why the upstream was called; absent where it was not. */
  forwarded?: 'miss' | 'stale' | 'request' | 'bypass'
  /** One upstream call serves this request and another. */
  collapsed?: true
  /** Clock time, milliseconds, until which a cached answer was or will be fresh. */
  freshUntil?: number
  /** Why a stale answer was served: one token. */
  detail?: string
}>

export type ReplyHead = Readonly<{
  id: string
  target: Target
  cache: 'miss' | 'hit' | 'stale' | 'bypass'
  /** Clock time, milliseconds, at which a cached answer was first served. */
  storedAt?: number
  cacheTrace?: CacheTrace
  /** Another model than the requested one answers. */
  fallback?: true
  /** It outlives its connection, under its id. */
  resumable?: true
  /** Parameters that the model does not take and that were left out, by their names in the request. */
  omitted?: readonly string[]
  /** The content type of a body that passes through. */
  mediaType?: string
  /** Warnings about parts of the call that were not honoured, one sentence each; absent where there are none. */
  warnings?: readonly string[]
}>

/** Whether an answer is cached or shared with another call, and so costs nothing again. */
export const isRepeated = ({ cache }: ReplyHead): boolean => cache === 'hit' || cache === 'stale'
