import { GatewayError } from '../errors.ts'
import type { ModelFacts, Price } from './providers/definition.ts'
import type { Target } from './types.ts'

/** One provider's share of the catalog. */
export type Shelf = Readonly<{
  provider: string
  /** Whether it can be asked: its key is set. */
  available: boolean
  models: readonly ModelFacts[]
  /** Which of its models stand in for which, best first. */
  fallbacks?: Readonly<Record<string, readonly string[]>>
  /** What to do to make it available. */
  remedy: string
}>

export type CatalogModel = Readonly<{ target: Target; facts: ModelFacts; available: boolean }>

/** A model whose own name has a slash keeps its provider's in front: it must not be taken for another's. */
const nameOf = (provider: string, model: string): string =>
  model.includes('/') ? `${provider}/${model}` : model

/** Which models there are, who provides them, and what they cost. */
export class Catalog {
  readonly #shelves: ReadonlyMap<string, Shelf>
  readonly #byName = new Map<string, CatalogModel>()
  readonly defaultModel: string

  /**
   * @param defaultModel what is asked when a client names no model; the first available one when absent.
   * @throws GatewayError INVALID_INPUT when the default model cannot be resolved.
   */
  constructor(shelves: readonly Shelf[], defaultModel?: string) {
    this.#shelves = new Map(shelves.map(shelf => [shelf.provider, shelf]))
    for (const { provider, available, models } of shelves) {
      for (const facts of models) {
        const target = { provider, model: facts.id, name: nameOf(provider, facts.id) }
        this.#byName.set(target.name, { target, facts, available })
      }
    }
    this.defaultModel = defaultModel ?? this.#firstAvailable()
    this.resolve(this.defaultModel)
  }

  /**
   * The target of a model name: one of the catalog, or `provider/anything`, which is passed on as it is.
   * @throws GatewayError INVALID_INPUT when there is no such model or its provider is not set up.
   */
  resolve(name: string): Target {
    const known = this.#byName.get(name)
    if (known) {
      this.#assertAvailable(known.target.provider)
      return known.target
    }
    const slash = name.indexOf('/')
    const provider = name.slice(0, Math.max(slash, 0))
    const model = name.slice(slash + 1)
    if (!this.#shelves.has(provider) || model === '')
      throw this.#refusal(
        `There is no model “${name}”. GET /api/models lists them; provider/name asks for any other.`,
      )
    this.#assertAvailable(provider)
    return { provider, model, name }
  }

  /** Who should answer a model name, best first: itself, and then those that stand in for it and can be asked. */
  plan(name: string): readonly Target[] {
    const first = this.resolve(name)
    const names = this.#shelves.get(first.provider)?.fallbacks?.[first.model] ?? []
    const others = names
      .flatMap(other => this.#byName.get(nameOf(first.provider, other)) ?? [])
      .filter(({ available }) => available)
    return [first, ...others.map(({ target }) => target)]
  }

  /** What the target costs; absent where the price is unknown. */
  priceOf(target: Target): Price | undefined {
    return this.#factsOf(target)?.usdPerMillion
  }

  /** How many tokens the target takes, question and answer together; absent where unknown. */
  contextTokensOf(target: Target): number | undefined {
    return this.#factsOf(target)?.contextTokens
  }

  /** Whether the target is one of the catalog's own. */
  has(target: Target): boolean {
    return this.#factsOf(target) !== undefined
  }

  list(): readonly CatalogModel[] {
    return [...this.#byName.values()]
  }

  #factsOf({ provider, model }: Target): ModelFacts | undefined {
    const known = this.#byName.get(nameOf(provider, model))
    return known?.target.provider === provider ? known.facts : undefined
  }

  #firstAvailable(): string {
    const model = this.list().find(({ available }) => available)
    if (!model) throw this.#refusal('No provider is set up.')
    return model.target.name
  }

  #assertAvailable(provider: string): void {
    const shelf = this.#shelves.get(provider)
    if (shelf?.available) return
    throw this.#refusal(`The provider ${provider} is not set up on this gateway: ${shelf?.remedy}.`)
  }

  #refusal(message: string): GatewayError {
    return new GatewayError('INVALID_INPUT', message, { details: [{ path: 'model', message }] })
  }
}
