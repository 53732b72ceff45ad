/** A part that ends what a prompt cache is to keep has Anthropic's `cache_control`, as the client wrote it. */
type Cacheable = Readonly<{ cacheControl?: object }>

/**
 * A part of a block that only Anthropic's format can say whole has that block as the client wrote it: Anthropic gets the
 * block in place of the part. `continued`: the block of the part before it says this one too.
 */
type OfBlock = Readonly<{ block?: Readonly<Record<string, unknown>> | 'continued' }>

/** A part of a message's content. Media are addressed by an `http(s):` or a `data:` URL. */
export type ContentPart =
  | (Cacheable & OfBlock & Readonly<{ type: 'text'; text: string }>)
  | (Cacheable & OfBlock & Readonly<{ type: 'image'; url: string; detail?: string }>)
  | Readonly<{ type: 'audio'; base64: string; format: string }>
  | (Cacheable & OfBlock & Readonly<{ type: 'file'; name?: string; url?: string; id?: string }>)
  /** A part of a type that only its own format knows; `name` is that type. */
  | (OfBlock & Readonly<{ type: 'other'; name: string }>)

const HAS_SCHEME = /^(?:data|https?):/i

/** The URL of a file's data in OpenAI's formats: some clients send the base64 of a PDF alone. */
export const fileDataUrl = (data: string): string =>
  HAS_SCHEME.test(data) ? data : `data:application/pdf;base64,${data}`

/** Plain text, or parts in order. */
export type Content = string | readonly ContentPart[]

/** A model's call of a tool. */
export type ToolCall = Readonly<{
  id: string
  name: string
  /** The JSON text as the model wrote it; of a custom tool, its input text. */
  arguments: string
  /** A custom tool, whose input is free text. */
  isCustom?: true
  /** What its vendor wants to see again when the call comes back: Gemini's signature. Source: its `extra_content`. */
  extraContent?: unknown
  /** Anthropic's breakpoint of a prompt cache, as on a part of a message. */
  cacheControl?: object
}>

/** A block of a model's reasoning. Its provider checks the signature when it comes back in a later call. */
export type Reasoning = Readonly<{
  text: string
  signature?: string
  /** In place of the text: reasoning that its provider does not show, encrypted. */
  redacted?: string
  /** How many parts of the message's content and calls of tools stand before it; absent where it stands first. */
  after?: number
}>

/** Reasoning in its place: after so many parts and calls. */
export const placedAfter = (reasoning: Reasoning, after: number): Reasoning =>
  after > 0 ? { ...reasoning, after } : reasoning

/** One message of a conversation. */
export type Message =
  | Readonly<{ role: 'system' | 'developer' | 'user'; content: Content }>
  | Readonly<{
      role: 'assistant'
      content: Content
      toolCalls?: readonly ToolCall[]
      reasoning?: readonly Reasoning[]
      refusal?: string
    }>
  | (Cacheable & Readonly<{ role: 'tool'; toolCallId: string; content: Content }>)

export type Role = Message['role']

/** The text of a content: its text parts together. */
export const textOf = (content: Content): string =>
  typeof content === 'string'
    ? content
    : content.reduce((text, part) => (part.type === 'text' ? text + part.text : text), '')

/** A tool that the model may call. */
export type Tool = Readonly<{
  name: string
  /** Anthropic's `cache_control`, as on a part of a message. */
  cacheControl?: object
  description?: string
  /** JSON Schema of its arguments; absent for a tool without any, and for a custom one. */
  parameters?: unknown
  strict?: boolean
  /** Its input is free text, in that format where one is given. */
  custom?: Readonly<{ format?: unknown }>
  /** The client's format alone defines it, by this type: models of other formats do not know it. */
  definedBy?: string
  /** The tool as the client wrote it in Anthropic's format, for an upstream of that format. */
  written?: object
}>

/** Which tools the model may or must call. */
export type ToolChoice =
  | Readonly<{ type: 'auto' | 'none' | 'required' }>
  | Readonly<{ type: 'tool'; name: string }>
  /** Only these tools; `mode` says whether it must call one. */
  | Readonly<{ type: 'allowed'; mode: 'auto' | 'required'; names: readonly string[] }>

export type ResponseFormat =
  | Readonly<{ type: 'text' | 'json-object' }>
  | Readonly<{ type: 'json-schema'; name: string; schema?: unknown; strict?: boolean; description?: string }>

/** What a client may ask of a model besides its messages. An absent one leaves the model its default. */
export type ModelParameters = Readonly<{
  topP?: number
  topK?: number
  /** How many answers are wanted; 1 when absent. */
  choices?: number
  stop?: readonly string[]
  seed?: number
  frequencyPenalty?: number
  presencePenalty?: number
  tools?: readonly Tool[]
  toolChoice?: ToolChoice
  /** Whether it may call several tools at once. */
  parallelToolCalls?: boolean
  responseFormat?: ResponseFormat
  /** From `none` to `max`. */
  reasoningEffort?: string
  /** The most tokens of reasoning. */
  reasoningTokens?: number
  serviceTier?: string
  /** The end user, as the client names it. */
  user?: string
}>

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
  /** How often the vendor ran its own tools, each of which has a price; by their names in the price table. */
  hostedCalls?: Readonly<Record<string, number>>
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

/** The service tiers that OpenAI's formats can name as the one that answered; those of other vendors have no name there. */
const OPENAI_TIERS: ReadonlySet<string | undefined> = new Set([
  'default',
  'flex',
  'scale',
  'priority',
  'fast',
])

/** The member of an answer in OpenAI's formats that names the service tier which answered. */
export const openAiTier = ({ serviceTier }: Pick<Usage, 'serviceTier'> = {}) =>
  OPENAI_TIERS.has(serviceTier) ? { service_tier: serviceTier } : {}

type MoneyField =
  | 'hostedCalls'
  | 'serviceTier'
  | 'costPicoUsd'
  | 'reportedPicoUsd'
  | 'computedPicoUsd'
  | 'savedPicoUsd'
  | 'priceVersion'

/** The tokens of a usage, without its price: what clients see. */
export const tokensOf = ({
  hostedCalls: _calls,
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
  | Readonly<{ unit: 'second'; count: number }>
  /** `tokens`: an estimate of the same, for a model that is billed by tokens and does not report them. */
  | Readonly<{
      unit: 'character'
      count: number
      tokens?: Readonly<{ inputTokens: number; outputTokens: number }>
    }>
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
  /** It had to be shorter than its call allows, so that a budget pays for it. */
  isShortened?: true
  /** Parameters that the model does not take and that were left out, by their names in the request. */
  omitted?: readonly string[]
  /** The content type of a body that passes through. */
  mediaType?: string
  /** Warnings about parts of the call that were not honoured, one sentence each; absent where there are none. */
  warnings?: readonly string[]
}>

/** A new id for an answer. */
export const newReplyId = (): string => `chat_${crypto.randomUUID().replaceAll('-', '')}`

/** Whether an answer is cached or shared with another call, and so costs nothing again. */
export const isRepeated = ({ cache }: ReplyHead): boolean => cache === 'hit' || cache === 'stale'
