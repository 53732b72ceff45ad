import type { Clock } from '../clock.ts'
import { ConfigurationError, type FaultsBeside, secretsOf } from '../config/env.ts'
import type { ConfigFile } from '../config/file-schema.ts'
import type { Environment } from '../config/schema.ts'
import { readConfig } from '../config/source.ts'
import { GatewayError } from '../errors.ts'
import { Catalog, type ProviderListing } from '../llm/catalog.ts'
import type { OutputLimits, ProviderDefinition, ProviderDeps } from '../llm/providers/definition.ts'
import { MOCK_MODELS, MOCK_PRICE, mock } from '../llm/providers/mock.ts'
import { MEDIA_PROVIDERS, PROVIDERS } from '../llm/providers/registry.ts'
import { postOver } from '../llm/providers/shared/upstream.ts'
import { upstreamAgent } from '../llm/providers/shared/upstream-agent.ts'
import type { Call, Provider, Target, WireFormat } from '../llm/types.ts'
import { redactor } from '../observability/redact.ts'
import type { RateHeadrooms } from '../resilience/defer-background.ts'

const ALL_PROVIDERS = [...PROVIDERS, ...MEDIA_PROVIDERS]

const MOCK_LISTING: ProviderListing = {
  provider: 'mock',
  available: true,
  models: MOCK_MODELS,
  usdPerMillion: MOCK_PRICE,
  defaultModels: {
    moderations: 'mock',
    'images/generations': 'mock',
    'images/edits': 'mock',
  },
  setupHint: '',
}

/** The listings of all providers, as if all were set up: the names that a configuration file may use. */
export const allListings = (): readonly ProviderListing[] => [
  ...ALL_PROVIDERS.map(definition => listingOf(definition, true)),
  MOCK_LISTING,
]

type Settings = Readonly<Record<string, unknown>>

const variable = (env: Settings, name: string): string | undefined => {
  const value = env[name]
  return typeof value === 'string' ? value : undefined
}

const listingOf = (definition: ProviderDefinition, available: boolean): ProviderListing => ({
  provider: definition.id,
  available,
  models: definition.models,
  ...(definition.defaultModels && { defaultModels: definition.defaultModels }),
  ...(definition.modelNames && { modelNames: definition.modelNames }),
  ...(definition.fallbacks && { fallbacks: definition.fallbacks }),
  setupHint: `set ${definition.env.keyless ? definition.env.baseUrl : definition.env.apiKey} (${definition.env.keysPage})`,
})

const BY_ID: ReadonlyMap<string, ProviderDefinition> = new Map(ALL_PROVIDERS.map(one => [one.id, one]))

/** What the request to a target allows, where it is translated to other limits than the call's own. */
export const outputLimitsOf = (target: Target, call: Call): OutputLimits | undefined =>
  BY_ID.get(target.provider)?.outputLimits?.(call, target)

const FORMATS_OF_OPENAI: readonly WireFormat[] = ['openai-chat', 'openai-responses']

/** Whether a request of a format may pass on to a target as it came; otherwise it is translated. */
export const mayPassOn = ({ provider }: Target, format: WireFormat): boolean =>
  (BY_ID.get(provider)?.formats ?? FORMATS_OF_OPENAI).includes(format)

/** Sent to a provider that needs no key, since its client requires one. */
const NO_KEY = 'none'

/** The connection settings of a provider; undefined where it is not set up. */
const accessTo = ({ env: names, defaultBaseUrl }: ProviderDefinition, env: Settings) => {
  const apiKey = variable(env, names.apiKey)
  const configured = variable(env, names.baseUrl)
  const baseUrl = configured ?? defaultBaseUrl
  const isSetUp = names.keyless ? configured !== undefined : apiKey !== undefined
  return isSetUp && baseUrl ? { apiKey: apiKey ?? NO_KEY, baseUrl } : undefined
}

/**
 * The catalog of all models, those that the configuration file adds included.
 * @throws ConfigurationError when `DEFAULT_MODEL` is neither an available model nor an alias.
 */
export const catalogOf = (
  listings: readonly ProviderListing[],
  defaultModel: string | undefined,
  file: ConfigFile = {},
): Catalog => {
  try {
    const isAlias = defaultModel !== undefined && Object.hasOwn(file.aliases ?? {}, defaultModel)
    return new Catalog(listings, isAlias ? undefined : defaultModel, file)
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    throw new ConfigurationError([`  DEFAULT_MODEL = “${defaultModel}”: ${error.message}`])
  }
}

/** The faults of the configuration file and of the default model, in an environment that has others. */
export const faultsBeside: FaultsBeside = (set, unreadable) => {
  // The default model may be an alias of the file.
  if (unreadable.has('GATEWAY_CONFIG')) return []
  const { GATEWAY_CONFIG: path } = set
  const defaultModel = unreadable.has('DEFAULT_MODEL') ? undefined : set.DEFAULT_MODEL
  const providers = ALL_PROVIDERS.map(one => listingOf(one, accessTo(one, set) !== undefined))
  const listings = [...providers, MOCK_LISTING]
  try {
    catalogOf(listings, defaultModel, path === undefined ? {} : readConfig(path, listings))
    return []
  } catch (error) {
    if (error instanceof ConfigurationError) return error.faults
    throw error
  }
}

/**
 * The providers that are set up, and the listings of all known ones. The mock provider is always set up, and comes
 * last.
 */
export const buildProviders = (
  env: Environment,
  clock: Clock,
  headrooms: RateHeadrooms,
  newId: () => string,
): { providers: ReadonlyMap<string, Provider>; listings: readonly ProviderListing[] } => {
  const common: Omit<ProviderDeps, 'apiKey' | 'baseUrl'> = {
    post: postOver(upstreamAgent({ http: env.HTTP_PROXY, https: env.HTTPS_PROXY, noProxy: env.NO_PROXY })),
    clock,
    newId,
    redact: redactor(secretsOf(env)),
    onRateHeadroom: (target, headroom) => headrooms.record(target, headroom),
  }
  const providers = new Map<string, Provider>()
  const listings = ALL_PROVIDERS.map(definition => {
    const deps = accessTo(definition, env)
    if (deps) providers.set(definition.id, definition.create({ ...deps, ...common }))
    return listingOf(definition, deps !== undefined)
  })
  const timing = { latencyMs: env.MOCK_LATENCY_MS, chunkMs: env.MOCK_CHUNK_MS }
  providers.set('mock', mock({ ...timing, clock, newId }))
  listings.push(MOCK_LISTING)
  return { providers, listings }
}
