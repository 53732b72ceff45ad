import { GatewayError } from '../errors.ts'
import { turn } from '../loop-turns.ts'
import { FaultList } from '../validation/zod.ts'

/** The names of models that the gateway knows: those of the catalog, and aliases. */
export type ModelNames = Readonly<{
  catalog: Readonly<{
    /** Throws GatewayError where no model has that name. */
    plan: (name: string, isChat?: boolean) => unknown
    nameByVendor: (name: string) => string
  }>
  aliases: ReadonlyMap<string, unknown>
}>

type Asking = Readonly<{ request: Readonly<{ model?: string | undefined }> }>

/** What is wrong with a model's name; undefined where it can be routed. @param isChat whether it must be able to chat */
export const modelFault = (
  model: string,
  { catalog, aliases }: ModelNames,
  isChat = true,
): string | undefined => {
  if (aliases.has(model)) return undefined
  try {
    catalog.plan(model, isChat)
    return undefined
  } catch (error) {
    if (error instanceof GatewayError) return error.message
    throw error
  }
}

/** What is wrong with the names of models, of which many are the same: each is checked once. */
export const faultsOfModels = (
  faultOf: (model: string) => string | undefined,
): ((model: string) => string | undefined) => {
  const known = new Map<string, string | undefined>()
  return model => {
    if (!known.has(model)) known.set(model, faultOf(model))
    return known.get(model)
  }
}

/** The gateway's name for a model of OpenAI's format: an alias, or the result of `nameByVendor`. */
export const openAiModel = (model: string, { catalog, aliases }: ModelNames): string =>
  aliases.has(model) ? model : catalog.nameByVendor(model)

/**
 * Checks that every item requests a known model, before the job is accepted.
 * @throws GatewayError INVALID_INPUT that names every item.
 */
export const assertModels = async (items: readonly Asking[], models: ModelNames): Promise<void> => {
  const faultOf = faultsOfModels(model => modelFault(model, models))
  const faults = new FaultList()
  for (const [index, { request }] of items.entries()) {
    await turn()
    const { model } = request
    const message = model === undefined ? undefined : faultOf(model)
    if (message !== undefined) faults.add({ path: `items[${index}].model`, message })
  }
  faults.throwIfAny()
}
