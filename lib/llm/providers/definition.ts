import type { Clock } from '../../clock.ts'
import type { Endpoint, ModelKind } from '../passthrough.ts'
import type { Call, Provider, RateHeadroom, Target, WireFormat } from '../types.ts'
import type { Post } from './shared/upstream.ts'

/** The day of the last change of the prices of the definitions: the version of the table. */
export const PRICES_AS_OF = '2026-11-28'

/** US dollars a million tokens, by class. */
export type TokenPrices = Readonly<{
  input: number
  output: number
  /** Input tokens read from the provider's own cache; as `input` when absent. */
  cachedInput?: number | undefined
  /** Input tokens written to the provider's own cache for five minutes; as `input` when absent. */
  cacheWrite?: number | undefined
  /** Input tokens written to the provider's own cache for an hour; 1.6 times `cacheWrite` when absent. */
  cacheWrite1h?: number | undefined
  /** Input tokens of audio and of images; as `input` when absent. */
  audioInput?: number | undefined
  imageInput?: number | undefined
  /** Output tokens of reasoning and of audio; as `output` when absent. */
  reasoning?: number | undefined
  audioOutput?: number | undefined
}>

/**
 * Prices, and those that replace them for the whole request when its input, cached tokens included, is strictly above a
 * threshold. The thresholds ascend.
 */
export type PriceList = TokenPrices &
  Readonly<{ longContext?: readonly (TokenPrices & Readonly<{ aboveInputTokens: number }>)[] | undefined }>

/** A factor of the usual prices, or prices in place of them. */
export type PriceChange = number | PriceList

/** What a model's tokens cost. A class that a replacing list leaves out costs what its own input or output costs. */
export type Price = PriceList &
  Readonly<{
    /** What replaces the prices from a day on, `YYYY-MM-DD` in UTC, in the order of the days. */
    later?: readonly Readonly<{ from: string; prices: PriceList }>[] | undefined
    /** Changes by the service tier that the response names: `flex`, `batch`, `priority`. */
    tiers?: Readonly<Record<string, PriceChange>> | undefined
    /** Changes by the time of day of sending the request: from `from` until before `to`, `HH:MM` in UTC. */
    hours?: readonly Readonly<{ from: string; to: string; prices: PriceChange }>[] | undefined
    /** The version of the table that it is from. */
    version?: string | undefined
  }>

/** The price of a model that is not billed by tokens, in US dollars. */
export type UnitPrice =
  | Readonly<{ unit: 'character'; usdPerMillion: number }>
  | Readonly<{ unit: 'second'; usd: number }>
  /** For each image, by quality and size: `hd 1024x1024`. */
  | Readonly<{ unit: 'image'; usd: Readonly<Record<string, number>> }>

/** What a model accepts in a request for images, where a request for another model is sent to it. */
export type ImageOptions = Readonly<{
  /** Its sizes, the usual one first; any when absent. */
  sizes?: readonly string[]
  qualities?: readonly string[]
  /** Members that it does not take. */
  drops: readonly string[]
  mostImages?: number
}>

/** A model's context window and price; absent where unknown. */
export type ModelFacts = Readonly<{
  id: string
  contextTokens?: number
  usdPerMillion?: Price
  unitPrice?: UnitPrice
  /** Absent for a model that chats. */
  kind?: ModelKind
  image?: ImageOptions
}>

/** The most output tokens of one request. */
export type OutputLimits = Readonly<{
  answer: number
  /** Most output tokens of reasoning, beside the answer; 0 for none. */
  reasoning: number
}>

/** The dependencies of a provider. */
export type ProviderDeps = Readonly<{
  apiKey: string
  baseUrl: string
  post: Post
  clock: Clock
  newId: () => string
  /** Masks secrets in upstream messages that clients see. */
  redact: (text: string) => string
  /** Called with the provider's remaining rate limits, by background calls. */
  onRateHeadroom: (target: Target, headroom: RateHeadroom) => void
}>

/** One vendor: everything that the gateway knows about it. */
export type ProviderDefinition = Readonly<{
  id: string
  /** Absent where every user has a URL of their own. */
  defaultBaseUrl?: string
  /** The environment variables of its key and address, and the page that issues them. */
  env: Readonly<{
    apiKey: string
    baseUrl: string
    keysPage: string
    /** Works without a key too; it is set up by its URL. */
    keyless?: true
  }>
  models: readonly ModelFacts[]
  /** The models of requests that name none, by endpoint. */
  defaultModels?: Readonly<Partial<Record<Endpoint, string>>>
  /** Names of its own models, including those that are not in `models`. */
  modelNames?: RegExp
  /** Fallbacks among its models, best first. */
  fallbacks?: Readonly<Record<string, readonly string[]>>
  /** The formats of requests that may pass on to it as they came; OpenAI's two when absent. */
  formats?: readonly WireFormat[]
  /**
   * What the request for a call allows, where it is translated to other limits than the call's own. Undefined for a body
   * that passes on as it came.
   */
  outputLimits?: (call: Call, target: Target) => OutputLimits | undefined
  create: (deps: ProviderDeps) => Provider
}>
