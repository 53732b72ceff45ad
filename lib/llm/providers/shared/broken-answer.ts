import type { Usage } from '../../types.ts'
import { tierIn, usageInTail } from './body-usage.ts'
import { type Fields, fieldsOf, parseJson } from './lenient.ts'
import { isTruncated } from './stream-event.ts'
import type { Received } from './upstream.ts'
import { countsIn, isReported, type ReportedUsage, tokenCount, usageOf, withBilling } from './usage.ts'

/** Anthropic counts cached input beside the rest; our count includes it. */
const withCachedInput = (counts: ReportedUsage, usage: Fields): ReportedUsage => {
  const { cache_read_input_tokens: read, cache_creation_input_tokens: written } = usage
  const cachedInputTokens = tokenCount(read) ?? 0
  const cacheWriteInputTokens = tokenCount(written) ?? 0
  if (counts.inputTokens === undefined || cachedInputTokens + cacheWriteInputTokens === 0) return counts
  const inputTokens = counts.inputTokens + cachedInputTokens + cacheWriteInputTokens
  return { ...counts, inputTokens, cachedInputTokens, cacheWriteInputTokens }
}

const reportedIn = (json: string, usage: Fields | undefined): ReportedUsage | undefined => {
  if (!usage) return undefined
  return withBilling(withCachedInput(countsIn(usage), usage), { tier: tierIn(json) ?? usage.service_tier })
}

/** What an answer's JSON reports as its usage, whatever else it says; undefined where it reports none. */
export const usageOfUnread = (json: string): ReportedUsage | undefined =>
  reportedIn(json, usageInTail(json) ?? fieldsOf(fieldsOf(parseJson(json))?.usage))

/**
 * The usage of an answer of which only the beginning can be read, or arrived: what its JSON reports, else an estimate
 * by its length. Undefined where it is not JSON.
 */
export const usageOfBroken = (
  { bytes, beginning, end }: Received,
  estimatedInputTokens: () => number,
): Usage | undefined => {
  if (!isTruncated(beginning)) return undefined
  const reported = reportedIn(end, usageInTail(end))
  return isReported(reported)
    ? usageOf(reported, { textBytes: 0, isComplete: true, estimatedInputTokens })
    : usageOf(undefined, { textBytes: bytes, isComplete: false, estimatedInputTokens })
}
