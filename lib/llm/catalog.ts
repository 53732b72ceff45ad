import { GatewayError } from '../errors.ts'
import type { Endpoint } from './passthrough.ts'
import { type ModelFacts, PRICES_AS_OF, type Price, type UnitPrice } from './providers/definition.ts'
import type { Target } from './types.ts'

/** One provider's share of the catalog. */
export type ProviderListing = Readonly<{
  provider: string
  /** Whether it is set up: its key, or its URL where it needs no key, is set. */
  available: boolean
  models: readonly ModelFacts[]
  /** The price of its models that have none of their own; unknown when absent. */
  usdPerMillion?: Price
  /** The models of requests that name none, by endpoint. */
  defaultModels?: Readonly<Partial<Record<Endpoint, string>>>
  /** Names of its own models, including those that are not in `models`. */
  modelNames?: RegExp
  /** Fallbacks among its models, best first. */
  fallbacks?: Readonly<Record<string, readonly string[]>>
  /** How to make it available. */
  setupHint: string
}>

/** A model that configuration adds or overrides. */
export type ConfiguredModel = Readonly<{
  id: string
  provider: string
  /** The provider's own name of it; the id when absent. */
  model?: string | undefined
  contextTokens?: number | undefined
  usdPerMillion?: Price | undefined
  /** The price of an image by quality and size: `standard 1024x1024`. */
  usdPerImage?: Readonly<Record<string, number>> | undefined
  fallbacks?: readonly string[] | undefined
}>

/** The configuration in addition to the listings. Its fallback chains replace those of the listings. */
export type Additions = Readonly<{
  models?: readonly ConfiguredModel[] | undefined
  fallbacks?: Readonly<Record<string, readonly string[]>> | undefined
  /** The date of its prices. */
  pricesAsOf?: string | undefined
}>

export type CatalogModel = Readonly<{ target: Target; facts: ModelFacts; available: boolean }>

/**
 * A model whose own name has a slash keeps its provider's name as a prefix, so that it is not confused with another
 * provider's.
 */
const nameOf = (provider: string, model: string): string =>
  model.includes('/') ? `${provider}/${model}` : model

/** The snapshot of a model, such as `gpt-4o-mini-2024-07-18`: `-YYYY-MM-DD`, `-MMDD`, or Anthropic's `-YYYYMMDD`. */
const SNAPSHOT = /-(?:20\d\d-?[01]\d-?[0-3]\d|[01]\d[0-3]\d)$/

/** Names of models that a header, a log and a database can hold; of others there are none. */
const NAME = /^[\x21-\x7e]{1,200}$/
/** Most characters of a name that an error repeats to the client that chose it. */
const REPEATED = 200

const withoutSnapshot = ({ provider, model: snapshot }: Target): Target => {
  const model = snapshot.replace(SNAPSHOT, '')
  return { provider, model, name: nameOf(provider, model) }
}

/** Facts of a model whose prices have the version of the price table. */
const dated = (facts: ModelFacts): ModelFacts =>
  facts.usdPerMillion ? { ...facts, usdPerMillion: { ...facts.usdPerMillion, version: PRICES_AS_OF } } : facts

/** All models with their providers and prices. */
export class Catalog {
  readonly #listings: ReadonlyMap<string, ProviderListing>
  readonly #byName = new Map<string, CatalogModel>()
  readonly #chains = new Map<string, readonly string[]>()
  readonly defaultModel: string

  /**
   * @param additions models of unknown providers among them are left out.
   * @param defaultModel the model of requests that name none; the first available one when absent.
   * @throws GatewayError INVALID_INPUT when the default model cannot be resolved.
   */
  constructor(listings: readonly ProviderListing[], defaultModel?: string, additions: Additions = {}) {
    this.#listings = new Map(listings.map(listing => [listing.provider, listing]))
    for (const { provider, available, models } of listings) {
      for (const facts of models) {
        const target = { provider, model: facts.id, name: nameOf(provider, facts.id) }
        this.#byName.set(target.name, { target, facts: dated(facts), available })
      }
    }
    const version = additions.pricesAsOf ? `config ${additions.pricesAsOf}` : 'config'
    for (const model of additions.models ?? []) this.#add(model, version)
    for (const [name, chain] of Object.entries(additions.fallbacks ?? {})) this.#chains.set(name, chain)
    this.defaultModel = defaultModel ?? this.#firstAvailable()
    this.#assertChats(this.resolve(this.defaultModel))
  }

  /**
   * The target of a model name: one of the catalog, or `provider/anything`, which is passed on as it is.
   * @throws GatewayError INVALID_INPUT when the model is unknown or its provider is not set up.
   */
  resolve(name: string): Target {
    const found = this.find(name)
    if (!found)
      throw this.#rejection(
        `There is no model “${name.slice(0, REPEATED)}”. GET /api/models lists them; provider/name asks for any other.`,
      )
    this.#assertAvailable(found.target.provider)
    return found.target
  }

  /**
   * The targets of a model name, best first: the model itself, then its available fallbacks.
   * @param isChat whether they must be able to chat
   */
  plan(name: string, isChat = true): readonly Target[] {
    const first = this.resolve(name)
    if (isChat) this.#assertChats(first)
    const others = this.#chainOf(first).filter(
      ({ target, available }) => available && target.name !== first.name,
    )
    return [first, ...others.map(({ target }) => target)]
  }

  /** The model of a name, even if unavailable without a key; undefined where there is none. */
  find(name: string): Pick<CatalogModel, 'target' | 'available'> | undefined {
    const known = this.#byName.get(name)
    if (known) return known
    const slash = name.indexOf('/')
    const listing = this.#listings.get(name.slice(0, Math.max(slash, 0)))
    const model = name.slice(slash + 1)
    if (!listing || model === '' || !NAME.test(name)) return undefined
    return { target: { provider: listing.provider, model, name }, available: listing.available }
  }

  /**
   * The gateway's name for a model, from its vendor's: `openai/gpt-3.5-turbo-0125`. The name itself where the catalog
   * has it, or it matches no vendor. Vendors that are set up take precedence.
   */
  nameByVendor(name: string): string {
    if (this.find(name)) return name
    const vendors = [...this.#listings.values()].filter(({ modelNames }) => modelNames?.test(name))
    const vendor = vendors.find(({ available }) => available) ?? vendors[0]
    return vendor ? `${vendor.provider}/${name}` : name
  }

  /** The catalog's name of a target, however a request spelled it: `gpt-4o` for `openai/gpt-4o`. */
  nameOf(target: Target): string {
    return this.#knownOf(target)?.target.name ?? target.name
  }

  /** The target's price, the same for a snapshot and its model; absent where unknown. */
  priceOf(target: Target): Price | undefined {
    return this.#modelFactsOf(target)?.usdPerMillion ?? this.#listings.get(target.provider)?.usdPerMillion
  }

  /** The price of a target that is not billed by tokens; absent where unknown. */
  unitPriceOf(target: Target): UnitPrice | undefined {
    return this.#modelFactsOf(target)?.unitPrice
  }

  /** The model of a request that names none; absent where the endpoint requires a name. */
  defaultModelOf(endpoint: Endpoint): string | undefined {
    const names = [...this.#listings.values()].flatMap(({ available, defaultModels }) =>
      available ? (defaultModels?.[endpoint] ?? []) : [],
    )
    return names[0]
  }

  /** The target's context window in tokens, input and output together; absent where unknown. */
  contextTokensOf(target: Target): number | undefined {
    return this.#modelFactsOf(target)?.contextTokens
  }

  /** Whether the target is one of the catalog's own. */
  has(target: Target): boolean {
    return this.#factsOf(target) !== undefined
  }

  list(): readonly CatalogModel[] {
    return [...this.#byName.values()]
  }

  #add(added: ConfiguredModel, pricesVersion: string): void {
    const { id, provider, model = id, contextTokens, usdPerMillion, usdPerImage, fallbacks } = added
    const listing = this.#listings.get(provider)
    if (!listing) return
    const target = { provider, model, name: id }
    const facts = {
      ...listing.models.find(one => one.id === model),
      id: model,
      ...(contextTokens !== undefined && { contextTokens }),
      ...(usdPerImage && {
        kind: 'image' as const,
        unitPrice: { unit: 'image' as const, usd: usdPerImage },
      }),
      ...(usdPerMillion && { usdPerMillion: { ...usdPerMillion, version: pricesVersion } }),
    }
    this.#byName.set(id, { target, facts, available: listing.available })
    if (fallbacks) this.#chains.set(id, fallbacks)
  }

  /** The fallbacks of a target: by configuration, else by its provider's listing. */
  #chainOf({ provider, model, name }: Target): readonly Pick<CatalogModel, 'target' | 'available'>[] {
    const chain = this.#chains.get(name)
    if (chain) return chain.flatMap(other => this.find(other) ?? [])
    // Clients choose the name, and every object has a `constructor`.
    const { fallbacks = {} } = this.#listings.get(provider) ?? {}
    const names = Object.hasOwn(fallbacks, model) ? (fallbacks[model] ?? []) : []
    return names.flatMap(other => this.#byName.get(nameOf(provider, other)) ?? [])
  }

  /** The facts of a target, or of the model that it is a snapshot of; undefined where neither is known. */
  #modelFactsOf(target: Target): ModelFacts | undefined {
    return this.#factsOf(target) ?? this.#factsOf(withoutSnapshot(target))
  }

  #factsOf(target: Target): ModelFacts | undefined {
    return this.#knownOf(target)?.facts
  }

  #knownOf({ provider, model, name }: Target): CatalogModel | undefined {
    const known = this.#byName.get(name) ?? this.#byName.get(nameOf(provider, model))
    return known?.target.provider === provider && known.target.model === model ? known : undefined
  }

  #firstAvailable(): string {
    const model = this.list().find(({ available, facts }) => available && !facts.kind)
    if (!model) throw this.#rejection('No provider is set up.')
    return model.target.name
  }

  #assertAvailable(provider: string): void {
    const listing = this.#listings.get(provider)
    if (listing?.available) return
    throw this.#rejection(`The provider ${provider} is not set up on this gateway: ${listing?.setupHint}.`)
  }

  #assertChats(target: Target): void {
    const kind = this.#modelFactsOf(target)?.kind
    if (kind === undefined) return
    const message = `${target.name} is not a chat model; its kind is ${kind}.`
    throw new GatewayError('INVALID_INPUT', message, { details: [{ path: 'model', message }] })
  }

  #rejection(message: string): GatewayError {
    return new GatewayError('INVALID_INPUT', message, {
      unknownModel: true,
      details: [{ path: 'model', message }],
    })
  }
}
