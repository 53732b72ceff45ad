import { assertModelInScope, type ModelScopeDeps, mayUseModel } from '../auth/models.ts'
import type { Caller } from '../caller.ts'
import type { Handler } from '../compose.ts'
import type { ConfigFile } from '../config/file-schema.ts'
import type { Environment } from '../config/schema.ts'
import { FIXED, type Settings, settingsOf } from '../config/settings.ts'
import type { ChatDefaults } from '../http/dialects/chat.ts'
import { ALIAS, type ListedModel } from '../http/dialects/openai-models.ts'
import { pricedUsage } from '../ledger/meter.ts'
import { type AttemptListener, hasEndpoint } from '../llm/ask.ts'
import type { Catalog } from '../llm/catalog.ts'
import { estimatedInputTokens } from '../llm/providers/shared/usage.ts'
import type { Call, Reply, ResponseLimit, Target } from '../llm/types.ts'
import { spendItems } from '../rate-limit/items.ts'
import type { RequestContext } from '../request-context.ts'
import type { Alias, AliasTarget } from '../routing/alias.ts'
import { planned } from '../routing/route.ts'
import type { ToolChecks } from '../tools/loop/own-calls.ts'
import type { ToolRegistry } from '../tools/registry.ts'
import { budgetsOf } from './budgets.ts'
import { cacheDepsOf } from './cache.ts'
import { asSentOf, type GuardrailWiring, guardrailsFor, toolChecksOf } from './guardrails.ts'
import { pricesOf } from './ledger.ts'
import {
  adminAdmission,
  admission,
  memberAdmission,
  type PipelineDeps,
  type Pipelines,
  pipelines,
} from './pipelines.ts'
import { catalogOf } from './providers.ts'
import { resilienceOf } from './resilience.ts'
import type { Runtime } from './runtime.ts'
import { toolLoopOf, toolsOf } from './tools.ts'

const NO_CLIENT = new AbortController().signal

/**
 * Everything that follows from one version of the settings. A reload replaces it as a whole; requests in progress
 * continue with the old one.
 */
export type LiveConfig = Readonly<{
  settings: Settings
  catalog: Catalog
  aliases: ReadonlyMap<string, Alias>
  answer: Handler<Call, Reply>
  /** Answers calls whose files are on disk. */
  answerUpload: Handler<Call, Reply>
  /** Answers items of batches. */
  answerItem: Handler<Call, Reply>
  refresh: Pipelines['refresh']
  admit: Handler<RequestContext, RequestContext>
  admitMember: Handler<RequestContext, RequestContext>
  admitAdmin: Handler<RequestContext, RequestContext>
  /** Whether a caller may use a model. */
  mayUseModel: (caller: Caller, model: string) => boolean
  /** Throws FORBIDDEN where a call's key may not use its model. */
  assertModelInScope: (call: Call) => void
  /** Counts the items of a job submitted as JSON. */
  spendItems: ReturnType<typeof spendItems>
  chatDefaults: ChatDefaults
  /** The tools that the gateway runs. */
  tools: ToolRegistry
  /** A call as it would be sent to a provider. */
  asSent: (call: Call) => Promise<Call>
  /** What goes to tools and comes from them, as guardrails let it pass. */
  toolChecks: ToolChecks
  /** The targets of a call, best first. Throws GatewayError INVALID_INPUT for an unknown model. */
  plan: (call: Call) => readonly Target[]
}>

const targetOf = (target: Target, weight: number | undefined, catalog: Catalog): AliasTarget => {
  const price = catalog.priceOf(target)
  return { target, weight: weight ?? 1, ...(price && { usdPerMillionBoth: price.input + price.output }) }
}

/** The aliases of a file, each with its available targets. An alias without any is left out. */
const aliasesOf = ({ aliases = {} }: ConfigFile, catalog: Catalog): ReadonlyMap<string, Alias> => {
  const found = Object.entries(aliases).map(([name, { strategy, targets }]): Alias => {
    const usable = targets.flatMap(({ model, weight }) => {
      const known = catalog.find(model)
      return known?.available ? [targetOf(known.target, weight, catalog)] : []
    })
    return { name, strategy, targets: usable }
  })
  return new Map(found.filter(({ targets }) => targets.length > 0).map(alias => [alias.name, alias]))
}

const allOf = (listeners: readonly AttemptListener[]): AttemptListener => ({
  succeeded: (...attempt) => {
    for (const listener of listeners) listener.succeeded(...attempt)
  },
  failed: (...attempt) => {
    for (const listener of listeners) listener.failed(...attempt)
  },
})

/** The targets of the configured chain that are set up. */
const imageChainOf = ({ imageChain }: Settings, catalog: Catalog): readonly Target[] =>
  imageChain.flatMap(({ model, quality }) => {
    const known = catalog.find(model)
    return known?.available ? [{ ...known.target, ...(quality !== undefined && { quality }) }] : []
  })

/** An alias is a name of its own: its targets are the operator's choice. */
const modelScopesOf = (catalog: Catalog, aliases: LiveConfig['aliases']): ModelScopeDeps => ({
  targetOf: model => (aliases.has(model) ? undefined : catalog.find(model)?.target),
  targetsOfAlias: name => aliases.get(name)?.targets.map(({ target }) => target),
})

const pipelineDepsOf = (
  runtime: Runtime,
  {
    settings,
    catalog,
    aliases,
    tools,
    guardrails,
    prices,
  }: Pick<LiveConfig, 'settings' | 'catalog' | 'aliases' | 'tools'> &
    Pick<PipelineDeps, 'guardrails' | 'prices'>,
): PipelineDeps => {
  const { env, clock, counter, health, keys, metrics, providers, sessions, streams } = runtime
  return {
    clock,
    roles: { hasAdmins: keys.hasAdmins },
    batchItems: { activeById: id => keys.verifier.activeById(id) },
    modelScopes: modelScopesOf(catalog, aliases),
    auth: {
      sessions,
      verify: (credential, address) => keys.verifier.verify(credential, address),
      adminOf: session => keys.adminSessions.adminOf(session),
      requireApiKey: env.REQUIRE_API_KEY,
      acceptsPlaceholders: keys.acceptsPlaceholders,
      clock,
    },
    limits: { rates: settings.rates, counter, clock },
    budgets: budgetsOf({
      runtime: runtime.budgets,
      settings,
      catalog,
      tokenizer: runtime.tokenizer,
      clock,
    }),
    concurrency: { slots: runtime.keySlots, clock },
    tokens: { counter, clock, estimate: estimatedInputTokens },
    prices,
    cache: cacheDepsOf(settings.caching, runtime.cache, clock),
    streams,
    guardrails,
    tools: toolLoopOf(runtime, tools, prices, toolChecksOf(guardrails)),
    routes: {
      plan: (name, isChat) => catalog.plan(name, isChat),
      imageChain: imageChainOf(settings, catalog),
      aliases,
      hasEndpoint: ({ provider: id }, endpoint) => {
        const provider = providers.get(id)
        return !provider || hasEndpoint(provider, endpoint)
      },
      stats: runtime.targetStats,
    },
    ...resilienceOf({ settings, catalog, prices, clock, runtime: runtime.resilience }),
    providers: {
      providers,
      clock,
      listener: allOf([health, metrics.attempts]),
      priced: (usage, target, at) => pricedUsage(usage, target, prices, at),
      drain: {
        isOn: provider => settings.file.providers?.[provider]?.onClientGone === 'drain',
        ...FIXED.drain,
        open: () => runtime.activeRequests.open(NO_CLIENT),
        clock,
      },
      onAttemptEnd: (call, attempt) => runtime.ledger.attemptEnded(call, attempt),
    },
  }
}

/** A guest gets no less than an anonymous caller, and a key no less than a guest, unless the environment says so. */
const responseLimitOf = (env: Environment): ResponseLimit => {
  const anonymous = env.MAX_RESPONSE_BYTES
  const guest = env.MAX_RESPONSE_BYTES_GUEST ?? Math.max(anonymous, FIXED.responseBytes.guest)
  return { anonymous, guest, key: env.MAX_RESPONSE_BYTES_KEY ?? Math.max(guest, FIXED.responseBytes.key) }
}

/** @throws ConfigurationError when the file and the environment conflict. */
export const liveConfigOf = (
  runtime: Runtime,
  file: ConfigFile,
  onBlocked: GuardrailWiring['onBlocked'],
): LiveConfig => {
  const { env, listings } = runtime
  const settings = settingsOf(env, file)
  const catalog = catalogOf(listings, env.DEFAULT_MODEL, file)
  const aliases = aliasesOf(file, catalog)
  const tools = toolsOf(env, file)
  const prices = pricesOf(catalog, runtime.onUnpriced)
  const guardrails = guardrailsFor({ ...runtime, onBlocked }, file, {
    models: modelScopesOf(catalog, aliases),
    prices,
  })
  const deps = pipelineDepsOf(runtime, { settings, catalog, prices, aliases, tools, guardrails })
  const { chat, upload, batch, refresh } = pipelines(deps)
  return {
    settings,
    catalog,
    aliases,
    answer: chat,
    answerUpload: upload,
    answerItem: batch,
    refresh,
    admit: admission(deps),
    admitMember: memberAdmission(deps),
    admitAdmin: adminAdmission(deps),
    mayUseModel: mayUseModel(deps.modelScopes),
    assertModelInScope: assertModelInScope(deps.modelScopes),
    spendItems: spendItems(deps.limits),
    tools,
    toolChecks: toolChecksOf(guardrails),
    asSent: asSentOf(guardrails),
    plan: call => planned(call, deps.routes),
    chatDefaults: {
      model: env.DEFAULT_MODEL ?? catalog.defaultModel,
      maxResponseBytes: responseLimitOf(env),
      requestTimeoutMs: env.REQUEST_TIMEOUT_MS,
    },
  }
}

/** The models that can be called here, aliases first. */
export const callableModels = ({
  aliases,
  catalog,
}: Pick<LiveConfig, 'aliases' | 'catalog'>): readonly ListedModel[] => [
  ...[...aliases.keys()].map(id => ({ id, provider: ALIAS })),
  ...catalog
    .list()
    .flatMap(({ target, facts, available }) =>
      available ? [{ id: target.name, provider: target.provider, contextTokens: facts.contextTokens }] : [],
    ),
]

/** Holds the current configuration. */
export class CurrentConfig {
  #now: LiveConfig | undefined

  replace(next: LiveConfig): void {
    this.#now = next
  }

  /** @throws Error before the first `replace` */
  get now(): LiveConfig {
    if (!this.#now) throw new Error('No configuration has been applied yet.')
    return this.#now
  }

  readonly settings = (): Settings => this.now.settings

  /** Whether a model is one of the catalog. */
  readonly isKnown = (target: Target): boolean => this.now.catalog.has(target)

  /** The catalog's name of a model, however a request spelled it. */
  readonly modelName = (target: Target): string => this.now.catalog.nameOf(target)
}
