import { type Fields, fieldsOf } from './lenient.ts'
import { type ReportedUsage, reportedUsage, withTotal } from './usage.ts'

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
