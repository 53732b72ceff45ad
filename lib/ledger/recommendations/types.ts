import type { Price } from '../../llm/providers/definition.ts'

/** Requests of a larger model that a cheaper one would have answered: it has answered ones of the same kind. */
export type CheaperModel = Readonly<{
  kind: 'cheaper-model'
  /** Requests of one kind: of one owner, at one route, with inputs of about the same length, with images or without. */
  owner: string
  route: string
  inputTokens: Readonly<{ from: number; to: number }>
  images: boolean
  model: string
  requests: number
  errors: number
  costNano: number
  alternative: Readonly<{
    model: string
    requests: number
    errors: number
    /** What the requests of `model` would have cost, by their own tokens. */
    costNano: number
  }>
  savedNano: number
}>

/** Questions that were asked again after their answer had left the cache, or of a model that is not cached. */
export type CacheRuleHint = Readonly<{
  kind: 'cache-rule'
  /** The name by which it was asked for: rules go by that name. */
  model: string
  /** Absent where the model's answers are not cached. */
  currentTtlSeconds?: number | undefined
  ttlSeconds: number
  requests: number
  /** Requests that would have been answered from the cache. */
  hits: number
  savedNano: number
}>

/** Beginnings of prompts that were sent again and again, and that the vendor's cache did not take. */
export type PromptCacheHint = Readonly<{
  kind: 'prompt-cache'
  owner: string
  provider: string
  model: string
  prefixes: number
  requests: number
  /** Estimated tokens that would have been read from the vendor's cache, and written to it. */
  readTokens: number
  writtenTokens: number
  savedNano: number
}>

/** A key that is not used. */
export type IdleKey = Readonly<{
  kind: 'idle-key'
  keyId: string
  name: string
  owner?: string | undefined
  /** Clock times, milliseconds. */
  createdAt: number
  lastUsedAt?: number | undefined
  savedNano: 0
}>

export type Recommendation = CheaperModel | CacheRuleHint | PromptCacheHint | IdleKey

/** A request as the ledger has it. */
export type RequestFact = Readonly<{
  at: number
  owner: string
  route: string
  /** The model's own name; `asked` is the one that was asked for: an alias, perhaps. */
  model: string
  asked: string
  outcome: string
  cache: string | null
  input: number
  output: number
  imageInput: number
  /** Null where unknown. */
  costNano: number | null
  question: string | null
}>

/** An attempt whose prompt began with what a vendor's cache would have taken. */
export type PrefixFact = Readonly<{
  at: number
  owner: string
  provider: string
  model: string
  prefix: string
  tokens: number
}>

/** The price of a model by its name; undefined where unknown. */
export type PriceOf = (model: string) => Price | undefined
