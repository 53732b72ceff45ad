import type { NewItem } from './types.ts'

const CHARACTERS_PER_TOKEN = 4

/** US dollars per million tokens. */
export type Price = Readonly<{ inputUsdPerMillion: number; outputUsdPerMillion: number }>

export type Estimate = Readonly<{
  items: number
  inputTokens: number
  /** The most that may be answered. */
  outputTokens: number
  /** The most that the priced items may cost, US dollars; it is theirs alone where `unpriced` is not 0. */
  costUsd: number
  unpriced: number
}>

/**
 * What items will take, guessed before they run: four characters are one token, and every answer is as long as its
 * item allows. `priceOf` finds the price of a model's name, undefined being the default model.
 */
export const estimate = async (
  items: AsyncIterable<NewItem> | Iterable<NewItem>,
  priceOf: (model: string | undefined) => Price | undefined,
): Promise<Estimate> => {
  const sum = { items: 0, inputTokens: 0, outputTokens: 0, costUsd: 0, unpriced: 0 }
  for await (const { request } of items) {
    const texts = request.messages?.map(({ content }) => content) ?? [request.prompt ?? '']
    const characters = texts.reduce((total, text) => total + text.length, 0)
    const input = Math.ceil(characters / CHARACTERS_PER_TOKEN)
    const price = priceOf(request.model)
    sum.items += 1
    sum.inputTokens += input
    sum.outputTokens += request.maxTokens
    if (price)
      sum.costUsd +=
        (input * price.inputUsdPerMillion + request.maxTokens * price.outputUsdPerMillion) / 1_000_000
    else sum.unpriced += 1
  }
  return sum
}
