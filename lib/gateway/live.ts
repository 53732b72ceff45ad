import type { Handler } from '../compose.ts'
import type { ConfigFile } from '../config/file-schema.ts'
import { type Settings, settingsOf } from '../config/settings.ts'
import type { ChatDefaults } from '../http/dialects/chat.ts'
import type { Catalog, ProviderListing } from '../llm/catalog.ts'
import type { Call, Reply } from '../llm/types.ts'
import { spendItems } from '../rate-limit/items.ts'
import type { RequestContext } from '../request-context.ts'
import type { Alias } from '../routing/alias.ts'
import { aliasesOf } from './aliases.ts'
import { pipelineDepsOf, type WiringDeps } from './parts.ts'
import { adminAdmission, admission, batchPipeline, chatPipeline } from './pipelines.ts'
import { catalogOf } from './providers.ts'

/**
 * Everything that follows from one version of the settings. It is replaced as a whole; a request that holds an old one
 * continues with it.
 */
export type LiveConfig = Readonly<{
  settings: Settings
  catalog: Catalog
  aliases: ReadonlyMap<string, Alias>
  answer: Handler<Call, Reply>
  /** For items of batches. */
  work: Handler<Call, Reply>
  admit: Handler<RequestContext, RequestContext>
  administer: Handler<RequestContext, RequestContext>
  /** Counts the items of a job submitted as JSON. */
  spendItems: ReturnType<typeof spendItems>
  chatDefaults: ChatDefaults
}>

/** Everything that survives a reload. */
export type LiveConfigDeps = Omit<WiringDeps, 'settings' | 'catalog' | 'aliases'> &
  Readonly<{ listings: readonly ProviderListing[] }>

/** @throws ConfigurationError when the file and the environment conflict. */
export const liveConfigOf = (runtimeDeps: LiveConfigDeps, file: ConfigFile): LiveConfig => {
  const { env, listings } = runtimeDeps
  const settings = settingsOf(env, file)
  const catalog = catalogOf(listings, env.DEFAULT_MODEL, file)
  const aliases = aliasesOf(file, catalog)
  const deps = pipelineDepsOf({ ...runtimeDeps, settings, catalog, aliases })
  return {
    settings,
    catalog,
    aliases,
    answer: chatPipeline(deps),
    work: batchPipeline(deps),
    admit: admission(deps),
    administer: adminAdmission(deps),
    spendItems: spendItems(deps.limits),
    chatDefaults: {
      model: env.DEFAULT_MODEL ?? catalog.defaultModel,
      maxResponseBytes: env.MAX_RESPONSE_BYTES,
      requestTimeoutMs: env.REQUEST_TIMEOUT_MS,
    },
  }
}

/** Holds the current LiveConfig. */
export class CurrentConfig {
  #now: LiveConfig | undefined

  /** Replaces the current one. */
  take(next: LiveConfig): void {
    this.#now = next
  }

  get now(): LiveConfig {
    if (!this.#now) throw new Error('No settings have been applied yet.')
    return this.#now
  }
}
