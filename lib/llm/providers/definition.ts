import type { Clock } from '../../clock.ts'
import type { Provider, RateHeadroom, Target } from '../types.ts'
import type { Post } from './shared/upstream.ts'

/** US dollars a million tokens. */
export type Price = Readonly<{
  input: number
  output: number
  /** Input tokens that the provider had in its own cache; as `input` when absent. */
  cachedInput?: number
  /** Input tokens that the provider put into its own cache; as `input` when absent. */
  cacheWrite?: number
}>

/** What a model can take and costs; absent where unknown. */
export type ModelFacts = Readonly<{ id: string; contextTokens?: number; usdPerMillion?: Price }>

/** What a provider is given to be made of. */
export type ProviderDeps = Readonly<{
  apiKey: string
  baseUrl: string
  post: Post
  clock: Clock
  newId: () => string
  /** Told of what the provider says is left of its limits, by calls that care: those in the background. */
  onRateHeadroom?: (target: Target, headroom: RateHeadroom) => void
}>

/** One vendor: the whole of what the gateway knows about it. */
export type ProviderDefinition = Readonly<{
  id: string
  /** Absent where everybody has an address of their own. */
  defaultBaseUrl?: string
  /** The environment variables of its key and address, and the page where they can be had. */
  env: Readonly<{
    apiKey: string
    baseUrl: string
    keysPage: string
    /** Runs without a key too; it is set up by its address. */
    keyless?: true
  }>
  models: readonly ModelFacts[]
  /** What its own models are called, those that are not in `models` too. */
  modelNames?: RegExp
  /** Which of its models stand in for which, best first. */
  fallbacks?: Readonly<Record<string, readonly string[]>>
  create: (deps: ProviderDeps) => Provider
}>
