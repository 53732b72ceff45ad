import type { Handler } from '../compose.ts'
import type { ConfigFile } from '../config/file-schema.ts'
import { type Settings, settingsOf } from '../config/settings.ts'
import type { ChatDefaults } from '../http/dialects/chat.ts'
import type { Catalog, Shelf } from '../llm/catalog.ts'
import type { Call, Reply } from '../llm/types.ts'
import { spendItems } from '../rate-limit/items.ts'
import type { Alias } from '../routing/alias.ts'
import type { Visit } from '../visit.ts'
import { aliasesOf } from './aliases.ts'
import { type Makings, partsOf } from './parts.ts'
import { administering, admitting, answering, working } from './pipeline.ts'
import { catalogOf } from './providers.ts'

/** Everything that follows from one state of the settings. It is replaced whole; whoever holds an old one goes on with it. */
export type Composed = Readonly<{
  settings: Settings
  catalog: Catalog
  aliases: ReadonlyMap<string, Alias>
  answer: Handler<Call, Reply>
  /** For items of batches. */
  work: Handler<Call, Reply>
  admit: Handler<Visit, Visit>
  administer: Handler<Visit, Visit>
  /** Counts the items of a job that is handed in as JSON. */
  spendItems: ReturnType<typeof spendItems>
  chatDefaults: ChatDefaults
}>

/** What outlives every change of the settings. */
export type Lasting = Omit<Makings, 'settings' | 'catalog' | 'aliases'> &
  Readonly<{ shelves: readonly Shelf[] }>

/** @throws ConfigurationError when the file and the environment do not fit together. */
export const composed = (lasting: Lasting, file: ConfigFile): Composed => {
  const { env, shelves } = lasting
  const settings = settingsOf(env, file)
  const catalog = catalogOf(shelves, env.DEFAULT_MODEL, file)
  const aliases = aliasesOf(file, catalog)
  const parts = partsOf({ ...lasting, settings, catalog, aliases })
  return {
    settings,
    catalog,
    aliases,
    answer: answering(parts),
    work: working(parts),
    admit: admitting(parts),
    administer: administering(parts),
    spendItems: spendItems(parts.limits),
    chatDefaults: {
      model: env.DEFAULT_MODEL ?? catalog.defaultModel,
      maxResponseBytes: env.MAX_RESPONSE_BYTES,
      requestTimeoutMs: env.REQUEST_TIMEOUT_MS,
    },
  }
}

/** Holds what the settings of the moment make of a gateway. */
export class Live {
  #now: Composed | undefined

  /** Takes the place of what held before. */
  take(next: Composed): void {
    this.#now = next
  }

  get now(): Composed {
    if (!this.#now) throw new Error('No settings have been taken over yet.')
    return this.#now
  }
}
