import { type Fields, fieldsOf, parseJson } from './lenient.ts'
import { countsIn, type ReportedUsage, tokenCount, withBilling } from './usage.ts'

/** Anthropic counts cached input beside the rest; our count includes it. */
const withCachedInput = (counts: ReportedUsage, usage: Fields): ReportedUsage => {
  const { cache_read_input_tokens: read, cache_creation_input_tokens: written } = usage
  const cachedInputTokens = tokenCount(read) ?? 0
  const cacheWriteInputTokens = tokenCount(written) ?? 0
  if (counts.inputTokens === undefined || cachedInputTokens + cacheWriteInputTokens === 0) return counts
  const inputTokens = counts.inputTokens + cachedInputTokens + cacheWriteInputTokens
  return { ...counts, inputTokens, cachedInputTokens, cacheWriteInputTokens }
}

/**
 * The usage that a complete JSON answer reports, whatever else it says: its vendor charges for it. Undefined where there
 * is none.
 */
export const usageOfUnread = (json: string): ReportedUsage | undefined => {
  const answer = fieldsOf(parseJson(json))
  const usage = fieldsOf(answer?.usage)
  if (!answer || !usage) return undefined
  return withBilling(withCachedInput(countsIn(usage), usage), {
    tier: answer.service_tier ?? usage.service_tier,
  })
}
