import type { PassthroughRequest } from '../llm/passthrough.ts'
import { promptBytes, promptTexts, tokensBesideTexts } from '../llm/prompt-size.ts'
import type { OutputLimits, UnitPrice } from '../llm/providers/definition.ts'
import type { Call, Target, WireFormat } from '../llm/types.ts'
import { PICO_PER_NANO, picoUsdOf } from '../money.ts'
import { limitsIn } from './clamp.ts'
import { type HostedTools, hostedTools } from './hosted-tools.ts'
import { inputTokensOfRequest, outputTokensOfRequest, unitNanoUsd } from './request-cost.ts'

/** The highest price of a token of each direction, in whole picodollars. */
export type WorstTokenPrice = Readonly<{ inputPicoUsd: number; outputPicoUsd: number }>

export type WorstCaseDeps = Readonly<{
  /**
   * The highest price that a call may come to: of every class of input tokens, of the service tier it asks for, and at
   * the length of its prompt. Undefined where no price is known.
   */
  priceOf: (target: Target, call: Call, inputTokens: number) => WorstTokenPrice | undefined
  /** The price of a target that is not billed by tokens. */
  unitPriceOf: (target: Target) => UnitPrice | undefined
  /** US dollars for each call of a tool that the target's vendor runs, by its name. */
  callPricesOf: (target: Target) => Readonly<Record<string, number>>
  /** The context window; undefined where unknown. */
  contextTokensOf: (target: Target) => number | undefined
  /** Whether a request of a format may pass on to the target as it came; otherwise it is translated. */
  mayPassOn: (target: Target, format: WireFormat) => boolean
  /** What the request to the target allows, where it is translated to other limits than the call's own. */
  outputLimitsOf: (target: Target, call: Call) => OutputLimits | undefined
  /** Output tokens to reserve for a call without a limit of its own. */
  outputTokensOf: (call: Call) => number
  /** Counts tokens on a thread of its own. */
  tokenizer: Readonly<{ count: (texts: Iterable<string>) => Promise<number> }>
}>

/** The most that an attempt may cost. */
export type WorstCase = Readonly<{
  nanoUsd: number
  /** Present where the cost depends on the length of the answer. */
  output?: Readonly<{
    tokens: number
    /** Whole output tokens that an amount pays for, beside the prompt; negative where it does not pay for that. */
    tokensFor: (nanoUsd: number) => number
    /** The cost with another limit of output tokens. */
    nanoUsdWith: (tokens: number) => number
  }>
}>

/** Other vendors' tokenizers make up to half as many more tokens of the same text. */
const TOKENIZER_MARGIN = 1.5
/** The thinking that an effort allows beside the answer, where a vendor counts it so. */
const MOST_EFFORT_TOKENS = 32_768

const nanoOf = (picoUsd: number): number => Math.ceil(picoUsd / PICO_PER_NANO)

const answersOf = ({ parameters }: Call): number => parameters?.choices ?? 1

/** The limit of a call. Of two names for it in a body that passes on, an upstream may know either. */
const limitOf = ({ maxOutputTokens, raw }: Call): number | undefined =>
  maxOutputTokens === undefined || !raw ? maxOutputTokens : Math.max(maxOutputTokens, ...limitsIn(raw))

/** Thinking beside the limit, where the vendor is not known to count it within. A client's own body names the whole. */
const thinkingOf = ({ parameters, raw }: Call): number => {
  if (raw) return 0
  const { reasoningTokens, reasoningEffort } = parameters ?? {}
  if (reasoningTokens !== undefined) return reasoningTokens
  return reasoningEffort === undefined || reasoningEffort === 'none' ? 0 : MOST_EFFORT_TOKENS
}

/** The most that calls of a vendor's own tools cost; undefined where one has no known price. */
const callsPicoUsd = (
  hosted: HostedTools | undefined,
  usd: Readonly<Record<string, number>>,
): number | undefined => {
  const calls = [...(hosted?.calls ?? [])]
  return calls.every(([name]) => Object.hasOwn(usd, name))
    ? calls.reduce((sum, [name, count]) => sum + count * picoUsdOf(usd[name] ?? 0), 0)
    : undefined
}

/** The largest cost of one attempt at a target, from its prompt and its limit of output tokens. */
export class WorstCases {
  readonly #deps: WorstCaseDeps

  constructor(deps: WorstCaseDeps) {
    this.#deps = deps
  }

  /** The largest cost by the prompt's bytes. Undefined where no price is known, or no bound of what is read. */
  of(call: Call, target: Target): WorstCase | undefined {
    return this.#priced(call, target, promptBytes(call))
  }

  /** The largest cost by a count of prompt tokens, never more than `of` gives. Rejects where the tokenizer fails. */
  async counted(call: Call, target: Target): Promise<WorstCase | undefined> {
    const counted = Math.ceil((await this.#deps.tokenizer.count(promptTexts(call))) * TOKENIZER_MARGIN)
    return this.#priced(call, target, Math.min(counted, promptBytes(call)))
  }

  #limits(call: Call, target: Target): OutputLimits {
    const { outputLimitsOf, outputTokensOf } = this.#deps
    return (
      outputLimitsOf(target, call) ?? {
        answer: limitOf(call) ?? outputTokensOf(call),
        reasoning: thinkingOf(call),
      }
    )
  }

  #priced(call: Call, target: Target, textTokens: number): WorstCase | undefined {
    const { passthrough } = call
    return passthrough
      ? this.#requestPriced(call, passthrough, target, textTokens)
      : this.#chatPriced(call, target, textTokens)
  }

  #windowOf(target: Target): number {
    return this.#deps.contextTokensOf(target) ?? Number.POSITIVE_INFINITY
  }

  /** No translation has tools that a vendor runs: they are refused, or left out. */
  #hostedTools({ raw }: Call, target: Target): HostedTools | undefined {
    return raw && this.#deps.mayPassOn(target, raw.format) ? hostedTools(raw) : undefined
  }

  /** The largest cost of a request to an endpoint beside chat; undefined where no price is known. */
  #requestPriced(
    call: Call,
    request: PassthroughRequest,
    target: Target,
    textTokens: number,
  ): WorstCase | undefined {
    const unitPrice = this.#deps.unitPriceOf(target)
    if (unitPrice) return { nanoUsd: unitNanoUsd(unitPrice, request) }
    const promptTokens = textTokens + tokensBesideTexts(call)
    const input = inputTokensOfRequest(request, promptTokens, this.#windowOf(target))
    const price = this.#deps.priceOf(target, call, input)
    return (
      price && {
        nanoUsd: nanoOf(input * price.inputPicoUsd + outputTokensOfRequest(request) * price.outputPicoUsd),
      }
    )
  }

  #chatPriced(call: Call, target: Target, textTokens: number): WorstCase | undefined {
    const window = this.#windowOf(target)
    const hosted = this.#hostedTools(call, target)
    // A longer prompt is refused by the model. What its vendor's tools find is not known here.
    const prompt = hosted ? window : Math.min(window, textTokens + tokensBesideTexts(call))
    const price = this.#deps.priceOf(target, call, prompt)
    const calls = callsPicoUsd(hosted, this.#deps.callPricesOf(target))
    if (!price || calls === undefined) return undefined
    const input = price.inputPicoUsd === 0 ? 0 : prompt * (hosted?.rounds ?? 1) * price.inputPicoUsd
    const beside = input + calls
    if (beside === Number.POSITIVE_INFINITY) return undefined
    const { answer, reasoning } = this.#limits(call, target)
    const tokens = Math.min(window, answer)
    const thinking = Math.min(window, reasoning)
    const perToken = answersOf(call) * price.outputPicoUsd
    const nanoUsdWith = (limit: number) => nanoOf(beside + (limit + thinking) * perToken)
    const tokensFor = (nanoUsd: number) =>
      perToken === 0 ? tokens : Math.floor((nanoUsd * PICO_PER_NANO - beside) / perToken) - thinking
    return { nanoUsd: nanoUsdWith(tokens), output: { tokens, tokensFor, nanoUsdWith } }
  }
}
