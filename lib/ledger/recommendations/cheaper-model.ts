import { nanoOfPico } from '../../money.ts'
import { costOfTokens } from '../pricing.ts'
import type { CheaperModel, PriceOf, RequestFact } from './types.ts'

/** Fewer answers of a model prove nothing. */
const LEAST_REQUESTS = 20
/** How many more of a hundred requests may fail with the cheaper model. */
const MOST_MORE_ERRORS = 0.01
const LEAST_SAVED_SHARE = 0.2
/** Inputs are alike where the longest is at most so many times the shortest. */
const SIZE_RATIO = 4
const SMALLEST_INPUT = 256
const MOST_KINDS = 10_000

type Sums = { requests: number; errors: number; input: number; output: number; costNano: number }
type Kind = Readonly<{
  owner: string
  route: string
  size: number
  images: boolean
  models: Map<string, Sums>
}>

/** 0 for inputs below 256 tokens, 1 for those below 1,024, and so on. */
const sizeOf = (tokens: number): number =>
  tokens < SMALLEST_INPUT ? 0 : Math.floor(Math.log(tokens / SMALLEST_INPUT) / Math.log(SIZE_RATIO)) + 1

const rangeOf = (size: number): CheaperModel['inputTokens'] => ({
  from: size === 0 ? 0 : SMALLEST_INPUT * SIZE_RATIO ** (size - 1),
  to: SMALLEST_INPUT * SIZE_RATIO ** size,
})

const errorShare = ({ requests, errors }: Sums): number => errors / (requests + errors)

/** What the requests of a model would have cost at another's price, none of their input cached. */
const costAt = ({ requests, input, output }: Sums, model: string, priceOf: PriceOf, now: number) => {
  const price = priceOf(model)
  if (!price) return undefined
  const usual = { inputTokens: Math.round(input / requests), outputTokens: Math.round(output / requests) }
  return nanoOfPico(costOfTokens(usual, price, now).picoUsd * requests)
}

/** Finds models whose requests of one kind a cheaper model has answered as reliably. */
export class CheaperModels {
  readonly #kinds = new Map<string, Kind>()

  add({ owner, route, model, outcome, cache, input, output, imageInput, costNano }: RequestFact): void {
    if (cache === 'hit' || cache === 'stale' || outcome === 'aborted' || model === '') return
    const [size, images] = [sizeOf(input), imageInput > 0]
    const key = JSON.stringify([owner, route, size, images])
    let kind = this.#kinds.get(key)
    if (!kind) {
      if (this.#kinds.size >= MOST_KINDS) return
      kind = { owner, route, size, images, models: new Map() }
      this.#kinds.set(key, kind)
    }
    const sums = kind.models.get(model) ?? { requests: 0, errors: 0, input: 0, output: 0, costNano: 0 }
    kind.models.set(model, sums)
    if (outcome !== 'ok') sums.errors += 1
    else if (costNano !== null) {
      sums.requests += 1
      sums.input += input
      sums.output += output
      sums.costNano += costNano
    }
  }

  found(priceOf: PriceOf, now: number): readonly CheaperModel[] {
    return [...this.#kinds.values()].flatMap(kind =>
      [...kind.models].flatMap(([model, sums]) => this.#alternative(kind, model, sums, priceOf, now) ?? []),
    )
  }

  #alternative(
    { owner, route, size, images, models }: Kind,
    model: string,
    sums: Sums,
    priceOf: PriceOf,
    now: number,
  ): CheaperModel | undefined {
    if (sums.requests < LEAST_REQUESTS) return undefined
    let best: CheaperModel | undefined
    for (const [name, other] of models) {
      if (name === model || other.requests < LEAST_REQUESTS) continue
      if (errorShare(other) > errorShare(sums) + MOST_MORE_ERRORS) continue
      const costNano = costAt(sums, name, priceOf, now)
      if (costNano === undefined || costNano > sums.costNano * (1 - LEAST_SAVED_SHARE)) continue
      if (best && best.alternative.costNano <= costNano) continue
      best = {
        kind: 'cheaper-model',
        owner,
        route,
        inputTokens: rangeOf(size),
        images,
        model,
        requests: sums.requests,
        errors: sums.errors,
        costNano: sums.costNano,
        alternative: { model: name, requests: other.requests, errors: other.errors, costNano },
        savedNano: sums.costNano - costNano,
      }
    }
    return best
  }
}
