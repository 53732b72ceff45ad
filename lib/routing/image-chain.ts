import { fieldOf } from '../llm/passthrough.ts'
import type { Call, Target } from '../llm/types.ts'

/** One of the models that make images, and the quality to request of it; the model's own when absent. */
export type ImageStep = Readonly<{ model: string; quality?: string | undefined }>

/** Used where the configuration names no chain. */
export const DEFAULT_IMAGE_CHAIN: readonly ImageStep[] = [
  { model: 'dall-e-3', quality: 'hd' },
  { model: 'dall-e-3', quality: 'standard' },
  { model: 'dall-e-2' },
  { model: 'stable-diffusion' },
]

/** The position at which a request enters the chain; -1 where its model is not part of it. */
const entryOf = (chain: readonly Target[], name: string, quality: string | undefined, isNamed: boolean) => {
  if (quality === undefined) {
    const isRequested = (target: Target): boolean => target.name === name
    // A client that names a model without a quality gets the model's usual one, which is its last.
    return isNamed ? chain.findLastIndex(isRequested) : chain.findIndex(isRequested)
  }
  const exact = chain.findIndex(target => target.name === name && target.quality === quality)
  return exact === -1 ? chain.findLastIndex(target => target.name === name) : exact
}

/**
 * The targets of a request for images: from its model and quality down the chain. Undefined where the call is no such
 * request, or its model is not part of the chain.
 */
export const imagePlan = (
  { passthrough, model }: Pick<Call, 'passthrough' | 'model'>,
  chain: readonly Target[],
): readonly Target[] | undefined => {
  if (passthrough?.endpoint !== 'images/generations') return undefined
  const quality = fieldOf(passthrough, 'quality')
  const entry = entryOf(chain, model, quality, passthrough.namesModel)
  return entry === -1 ? undefined : chain.slice(entry)
}
