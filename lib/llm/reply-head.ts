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
  /** Part of `cacheWriteInputTokens`: those that stay for an hour, at a higher price. */
  cacheWrite1hInputTokens?: number
  /** Part of `outputTokens`. */
  reasoningTokens?: number
  /** Part of `outputTokens`, besides reasoning. */
  audioOutputTokens?: number
  /** Parts of `inputTokens` with prices of their own. */
  audioInputTokens?: number
  imageInputTokens?: number
  /** What is billed in place of tokens. */
  billed?: Billed
  /** The service tier that answered, in the provider's word. */
  serviceTier?: string
  /** Whole picodollars (1e-12 US dollars); absent where the price is unknown. */
  costPicoUsd?: number
  /** The cost by the provider's own report, which takes precedence over the price table. */
  reportedPicoUsd?: number
  /** The cost by the price table. */
  computedPicoUsd?: number
  /** What an upstream would have charged for an answer that the cache repeats; its cost is 0. */
  savedPicoUsd?: number
  /** The version of the price table. */
  priceVersion?: string
  /** Some of it was estimated or corrected, because the provider's own count is missing or implausible. */
  estimated?: true
}>

type MoneyField =
  | 'serviceTier'
  | 'costPicoUsd'
  | 'reportedPicoUsd'
  | 'computedPicoUsd'
  | 'savedPicoUsd'
  | 'priceVersion'

/** The tokens of a usage, without its price: what clients see. */
export const tokensOf = ({
  serviceTier: _tier,
  costPicoUsd: _cost,
  reportedPicoUsd: _reported,
  computedPicoUsd: _computed,
  savedPicoUsd: _saved,
  priceVersion: _version,
  ...tokens
}: Usage): Omit<Usage, MoneyField> => tokens

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
