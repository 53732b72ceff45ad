import { type Fault, GatewayError } from '../errors.ts'
import { turn } from '../loop-turns.ts'
import { invalidInput } from '../validation/faults.ts'
import type { Composed } from './live.ts'

type Asking = Readonly<{ request: Readonly<{ model?: string | undefined }> }>

/** What is wrong with a model's name; nothing where somebody answers to it. */
export const modelFault = (model: string, { catalog, aliases }: Composed): string | undefined => {
  if (aliases.has(model)) return undefined
  try {
    catalog.plan(model)
    return undefined
  } catch (error) {
    if (error instanceof GatewayError) return error.message
    throw error
  }
}

/**
 * Makes sure that every item asks for a model that there is, before any of them is taken.
 * @throws GatewayError INVALID_INPUT that names every item.
 */
export const assertModels = async (items: readonly Asking[], composed: Composed): Promise<void> => {
  const seen = new Map<string, string | undefined>()
  const faults: Fault[] = []
  for (const [index, { request }] of items.entries()) {
    await turn()
    const { model } = request
    if (model === undefined) continue
    if (!seen.has(model)) seen.set(model, modelFault(model, composed))
    const message = seen.get(model)
    if (message !== undefined) faults.push({ path: `items[${index}].model`, message })
  }
  if (faults.length > 0) throw invalidInput(faults)
}
