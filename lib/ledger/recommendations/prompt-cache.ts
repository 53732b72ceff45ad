import type { TokenPrices } from '../../llm/providers/definition.ts'
import { nanoUsdOf } from '../../money.ts'
import type { PrefixFact, PriceOf, PromptCacheHint } from './types.ts'

/** How long a vendor keeps a prefix after its last use. Source: Anthropic; OpenAI: 5 to 10 minutes. */
const KEPT_MS = 300_000
const LEAST_REQUESTS = 5
const TOKENS_OF_A_PRICE = 1e6

type Prefix = { readonly tokens: number; readonly times: number[] }
type OfModel = Readonly<{
  owner: string
  provider: string
  model: string
  prefixes: Map<string, Prefix>
}>

/** Tokens that a vendor's cache would have given for the uses of a prefix, and taken. */
const cachedTokens = ({ tokens, times }: Prefix): Readonly<{ read: number; written: number }> => {
  let [read, written, keptUntil] = [0, 0, Number.NEGATIVE_INFINITY]
  for (const at of times.toSorted((a, b) => a - b)) {
    if (at <= keptUntil) read += tokens
    else written += tokens
    keptUntil = at + KEPT_MS
  }
  return { read, written }
}

const savedNano = (
  { input, cachedInput, cacheWrite = input }: TokenPrices,
  { read, written }: Readonly<{ read: number; written: number }>,
): number =>
  cachedInput === undefined
    ? 0
    : nanoUsdOf((read * (input - cachedInput) - written * (cacheWrite - input)) / TOKENS_OF_A_PRICE)

/** Finds beginnings of prompts that a vendor's cache would have taken. */
export class RepeatedPrefixes {
  readonly #models = new Map<string, OfModel>()

  /** Facts may come in any order. */
  add({ at, owner, provider, model, prefix, tokens }: PrefixFact): void {
    const key = JSON.stringify([owner, model])
    const ofModel = this.#models.get(key) ?? { owner, provider, model, prefixes: new Map() }
    this.#models.set(key, ofModel)
    const known = ofModel.prefixes.get(prefix)
    if (known) known.times.push(at)
    else ofModel.prefixes.set(prefix, { tokens, times: [at] })
  }

  found(priceOf: PriceOf): readonly PromptCacheHint[] {
    return [...this.#models.values()].flatMap(ofModel => hintOf(ofModel, priceOf(ofModel.model)) ?? [])
  }
}

/** Prefixes that came only once are left out: caching them would cost more, and a client need not mark them. */
const hintOf = (
  { owner, provider, model, prefixes }: OfModel,
  price: TokenPrices | undefined,
): PromptCacheHint | undefined => {
  const repeated = [...prefixes.values()].filter(({ times }) => times.length > 1)
  const requests = repeated.reduce((sum, { times }) => sum + times.length, 0)
  if (!price || requests < LEAST_REQUESTS) return undefined
  let [readTokens, writtenTokens, saved] = [0, 0, 0]
  for (const prefix of repeated) {
    const { read, written } = cachedTokens(prefix)
    readTokens += read
    writtenTokens += written
    saved += savedNano(price, { read, written })
  }
  if (saved <= 0) return undefined
  return {
    kind: 'prompt-cache',
    owner,
    provider,
    model,
    prefixes: repeated.length,
    requests,
    readTokens,
    writtenTokens,
    savedNano: saved,
  }
}
