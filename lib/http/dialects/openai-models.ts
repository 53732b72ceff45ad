import { GatewayError } from '../../errors.ts'
import type { Target } from '../../llm/types.ts'

/** A model that can be called. */
export type ListedModel = Readonly<{ id: string; provider: string; contextTokens?: number | undefined }>

/** The provider that is named for an alias, which stands for several models. */
export const ALIAS = 'alias'

/** The gateway does not know when a model was made; clients require a time. */
const CREATED = Date.UTC(2025, 0, 1) / 1000
const CREATED_AT = new Date(CREATED * 1000).toISOString()

const MOST_LISTED = 1_000

/** One model in OpenAI's and in Anthropic's form at once: each reads the members that it knows. */
const modelBody = ({ id, provider, contextTokens }: ListedModel) => ({
  id,
  object: 'model',
  created: CREATED,
  owned_by: provider,
  type: 'model',
  display_name: id,
  created_at: CREATED_AT,
  ...(contextTokens !== undefined && { context_window: contextTokens }),
})

/** The part of a list that a query asks for. Source: Anthropic, "List Models" (`limit`, `after_id`, `before_id`). */
const pageOf = (models: readonly ListedModel[], query: URLSearchParams) => {
  const limit = Number(query.get('limit') ?? MOST_LISTED)
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_LISTED)
    throw new GatewayError('INVALID_INPUT', `limit must be from 1 to ${MOST_LISTED}.`, {
      details: [{ path: 'limit', message: `must be from 1 to ${MOST_LISTED}` }],
    })
  const indexOf = (name: string): number => {
    const id = query.get(name)
    return id === null ? -1 : models.findIndex(model => model.id === id)
  }
  const before = indexOf('before_id')
  const end = before === -1 ? models.length : before
  const start = before === -1 ? indexOf('after_id') + 1 : Math.max(0, end - limit)
  const page = models.slice(start, Math.min(start + limit, end))
  return { page, hasMore: before === -1 ? start + page.length < models.length : start > 0 }
}

/**
 * The list of models, for clients of OpenAI's (`data`), of Anthropic's (`data`, `has_more`, `first_id`, `last_id`), and
 * Codex (`models`).
 */
export const modelList = (models: readonly ListedModel[], url: string): object => {
  const { page, hasMore } = pageOf(models, new URL(url).searchParams)
  return {
    object: 'list',
    data: page.map(modelBody),
    has_more: hasMore,
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
    models: page.map(model => ({ slug: model.id, ...modelBody(model) })),
  }
}

/** What the gateway knows of models. */
export type ModelLookup = Readonly<{
  /** The gateway's name of a model, from its own or the vendor's. */
  modelNamed: (name: string) => string
  aliases: Readonly<{ has: (name: string) => boolean }>
  catalog: Readonly<{
    find: (name: string) => Readonly<{ target: Target; available: boolean }> | undefined
    contextTokensOf: (target: Target) => number | undefined
  }>
}>

/** Most characters of a name that an error repeats to the client that chose it. */
const REPEATED = 200

const callable = (asked: string, { modelNamed, aliases, catalog }: ModelLookup): ListedModel | undefined => {
  const name = modelNamed(asked)
  if (aliases.has(name)) return { id: asked, provider: ALIAS }
  const { target, available } = catalog.find(name) ?? {}
  if (!target || !available) return undefined
  return { id: asked, provider: target.provider, contextTokens: catalog.contextTokensOf(target) }
}

/**
 * One model that can be called, listed or not, under the name that was asked for.
 * Throws GatewayError INVALID_INPUT, as a call of an unknown model does.
 * @param mayUse whether its caller may call a model
 */
export const oneModel = (asked: string, lookup: ModelLookup, mayUse: (name: string) => boolean): object => {
  const model = callable(asked, lookup)
  if (model && mayUse(lookup.modelNamed(asked))) return modelBody(model)
  const message = `There is no model “${asked.slice(0, REPEATED)}”.`
  throw new GatewayError('INVALID_INPUT', message, { unknownModel: true })
}
