import { picoUsdOf } from '../../../money.ts'
import { usualBytes, usualTokensOfMedia } from '../../prompt-size.ts'
import type { Call, Usage } from '../../types.ts'
import { type Fields, fieldsOf } from './lenient.ts'

const BYTES_PER_TOKEN = 4

/**
 * A rough token count where the provider reports none: four UTF-8 bytes a token, which is near for English
 * and high for most else. Usage made of it is marked `estimated`.
 */
export const estimateTokens = (utf8Bytes: number): number => Math.ceil(utf8Bytes / BYTES_PER_TOKEN)

/** A rough token count of what a model reads of a call: texts, tools and their results, and media. Reads all of it. */
export const estimatedInputTokens = (call: Call): number =>
  estimateTokens(usualBytes(call)) + usualTokensOfMedia(call)

/** The counts of an answer that a vendor may report. */
const CLASSES = [
  'inputTokens',
  'outputTokens',
  'cachedInputTokens',
  'cacheWriteInputTokens',
  'cacheWrite1hInputTokens',
  'reasoningTokens',
  'audioInputTokens',
  'imageInputTokens',
  'audioOutputTokens',
] as const
type TokenClass = (typeof CLASSES)[number]

/** A vendor's counts by our definition of each class; a class is absent where its count is unknown. */
export type ReportedUsage = Readonly<
  { [Class in TokenClass]?: number } & {
    /** A count was implausible. */
    implausible?: true
    /** The service tier that answered. */
    serviceTier?: string
    /** The cost by the vendor's own report, in whole picodollars. */
    reportedPicoUsd?: number
    /** How often the vendor ran its own tools, by their names in the price table. */
    hostedCalls?: Readonly<Record<string, number>>
  }
>

/**
 * The largest plausible count of one answer's tokens: ten times the largest context window on the market, and
 * what the ledger can still price exactly.
 */
const MAX_PLAUSIBLE_TOKENS = 100_000_000

/** The largest plausible cost of one answer, which a number holds exactly. */
const MAX_REPORTED_USD = 9_000

const DIGITS = /^\d{1,9}$/

/** A plausible count of tokens, also one written as a string of digits; undefined for anything else. */
export const tokenCount = (value: unknown): number | undefined => {
  const count = typeof value === 'string' && DIGITS.test(value) ? Number(value) : value
  return Number.isSafeInteger(count) && (count as number) >= 0 && (count as number) <= MAX_PLAUSIBLE_TOKENS
    ? (count as number)
    : undefined
}

/** Reads the counts of each class. Null and undefined mean that the vendor does not report the class. */
export const reportedUsage = (counts: Readonly<Partial<Record<TokenClass, unknown>>>): ReportedUsage => {
  const usage: { -readonly [Key in keyof ReportedUsage]: ReportedUsage[Key] } = {}
  for (const name of CLASSES) {
    const value = counts[name]
    if (value === undefined || value === null) continue
    const count = tokenCount(value)
    if (count === undefined) usage.implausible = true
    else usage[name] = count
  }
  return usage
}

/** A cost in US dollars as whole picodollars; undefined for anything but a plausible number. */
const reportedCost = (usd: unknown): number | undefined =>
  typeof usd === 'number' && usd >= 0 && usd <= MAX_REPORTED_USD ? picoUsdOf(usd) : undefined

const TIER = /^[\w.-]{1,40}$/

/** Adds what a vendor reports beside its counts: the service tier that answered, and the cost in US dollars. */
export const withBilling = (
  usage: ReportedUsage,
  billing: Readonly<{ tier?: unknown; costUsd?: unknown }>,
): ReportedUsage => {
  const { tier, costUsd } = billing
  const serviceTier = typeof tier === 'string' && TIER.test(tier) ? tier : undefined
  const reportedPicoUsd = reportedCost(costUsd)
  if (serviceTier === undefined && reportedPicoUsd === undefined) return usage
  return {
    ...usage,
    ...(serviceTier !== undefined && { serviceTier }),
    ...(reportedPicoUsd !== undefined && { reportedPicoUsd }),
  }
}

/**
 * Includes in the output tokens that a vendor counts beside it. Gemini and xAI leave reasoning out of
 * `completion_tokens`: it is in the total alone, or larger than the output that it should be part of. A total that
 * exceeds the sum by exactly the cached input belongs to a relay that counts cached input separately.
 */
export const withTotal = (usage: ReportedUsage, totalTokens: unknown): ReportedUsage => {
  const { inputTokens, outputTokens, reasoningTokens = 0 } = usage
  if (outputTokens === undefined) return usage
  const total = tokenCount(totalTokens)
  const rest = total === undefined || inputTokens === undefined ? 0 : total - inputTokens - outputTokens
  if (inputTokens !== undefined && rest > 0) {
    const apart = (usage.cachedInputTokens ?? 0) + (usage.cacheWriteInputTokens ?? 0)
    return rest === apart
      ? { ...usage, inputTokens: inputTokens + rest }
      : {
          ...usage,
          outputTokens: outputTokens + rest,
          reasoningTokens: Math.max(reasoningTokens, rest),
        }
  }
  return reasoningTokens > outputTokens ? { ...usage, outputTokens: outputTokens + reasoningTokens } : usage
}

/** Counts of a stream are running totals: a later one replaces an earlier one, but no zero replaces a count. */
export const mergedUsage = (
  known: ReportedUsage | undefined,
  later: ReportedUsage | undefined,
): ReportedUsage | undefined => {
  if (!known || !later) return later ?? known
  const counts = Object.entries(later).filter(
    ([name, count]) => count !== 0 || !known[name as keyof ReportedUsage],
  )
  return { ...known, ...Object.fromEntries(counts) }
}

/** Whether a vendor has said what an answer used, or cost. */
export const isReported = (usage: ReportedUsage | undefined): usage is ReportedUsage =>
  usage?.inputTokens !== undefined ||
  usage?.outputTokens !== undefined ||
  usage?.reportedPicoUsd !== undefined

/** The parts of the counts that have prices of their own, where there are any. */
const partsOf = (reported: ReportedUsage, input: number, written: number, output: number) => {
  const written1h = Math.min(reported.cacheWrite1hInputTokens ?? 0, written)
  const audioInput = Math.min(reported.audioInputTokens ?? 0, input - written)
  const imageInput = Math.min(reported.imageInputTokens ?? 0, input - written - audioInput)
  const audioOutput = Math.min(reported.audioOutputTokens ?? 0, output)
  return {
    ...(written1h > 0 && { cacheWrite1hInputTokens: written1h }),
    ...(audioInput > 0 && { audioInputTokens: audioInput }),
    ...(imageInput > 0 && { imageInputTokens: imageInput }),
    ...(audioOutput > 0 && { audioOutputTokens: audioOutput }),
  }
}

/** Facts about an answer besides its vendor's report. */
type AnswerFacts = Readonly<{
  /** UTF-8 bytes of its text. */
  textBytes: number
  /** Whether it is complete. */
  isComplete: boolean
  estimatedInputTokens: () => number
}>

/**
 * The usage of an answer. A class whose count is unknown is estimated, and so is a zero beside text, and the output of
 * an interrupted answer: its last count may be older than its text. Parts never exceed their whole. Wherever anything
 * was estimated or corrected the usage says `estimated`.
 */
export const usageOf = (reported: ReportedUsage = {}, answer: AnswerFacts): Usage => {
  const { textBytes, isComplete } = answer
  const believed = (count: number | undefined) => (count === 0 && textBytes > 0 ? undefined : count)
  const [knownInput, knownOutput] = [believed(reported.inputTokens), believed(reported.outputTokens)]
  const { cachedInputTokens: cached, cacheWriteInputTokens: written, reasoningTokens: reasoning } = reported
  const isCut = !isComplete && textBytes > 0

  const inputTokens = knownInput ?? Math.max(answer.estimatedInputTokens(), (cached ?? 0) + (written ?? 0))
  const outputTokens =
    knownOutput === undefined || isCut ? Math.max(knownOutput ?? 0, estimateTokens(textBytes)) : knownOutput
  const cachedInputTokens = Math.min(cached ?? 0, inputTokens)
  const cacheWriteInputTokens = Math.min(written ?? 0, inputTokens - cachedInputTokens)
  const reasoningTokens = Math.min(reasoning ?? 0, outputTokens)

  const { serviceTier, reportedPicoUsd, hostedCalls } = reported
  const isCorrected =
    cachedInputTokens !== (cached ?? 0) ||
    cacheWriteInputTokens !== (written ?? 0) ||
    reasoningTokens !== (reasoning ?? 0)
  const isEstimated = isCut || isCorrected || knownInput === undefined || knownOutput === undefined
  return {
    inputTokens,
    outputTokens,
    ...(cached !== undefined && { cachedInputTokens }),
    ...(written !== undefined && { cacheWriteInputTokens }),
    ...(reasoning !== undefined && { reasoningTokens }),
    ...partsOf(
      reported,
      inputTokens - cachedInputTokens,
      cacheWriteInputTokens,
      outputTokens - reasoningTokens,
    ),
    ...(serviceTier !== undefined && { serviceTier }),
    ...(hostedCalls && { hostedCalls }),
    // The report of an interrupted answer may be older than its text.
    ...(reportedPicoUsd !== undefined && !isCut && { reportedPicoUsd }),
    ...((isEstimated || reported.implausible) && { estimated: true }),
  }
}

/** The counts of a usage in OpenAI's form, by the names of chat completions or by those of its other endpoints. */
export const countsIn = (usage: Fields): ReportedUsage => {
  const input =
    fieldsOf(usage.prompt_tokens_details) ??
    fieldsOf(usage.input_tokens_details) ??
    fieldsOf(usage.input_token_details)
  const output = fieldsOf(usage.completion_tokens_details) ?? fieldsOf(usage.output_tokens_details)
  const counts = reportedUsage({
    inputTokens: usage.prompt_tokens ?? usage.input_tokens,
    outputTokens: usage.completion_tokens ?? usage.output_tokens,
    // DeepSeek; OpenRouter and LiteLLM for cache writes.
    cachedInputTokens: input?.cached_tokens ?? usage.prompt_cache_hit_tokens,
    cacheWriteInputTokens: input?.cache_write_tokens ?? input?.cache_creation_tokens,
    reasoningTokens: output?.reasoning_tokens,
    audioInputTokens: input?.audio_tokens,
    imageInputTokens: input?.image_tokens,
    audioOutputTokens: output?.audio_tokens,
  })
  return withTotal(counts, usage.total_tokens)
}
