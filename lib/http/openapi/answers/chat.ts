import { z } from 'zod'

const usd = z
  .number()
  .nullable()
  .describe('US dollars; null where the price is unknown, never 0 for unknown.')

export const usage = z.object({
  inputTokens: z.int(),
  outputTokens: z.int(),
  cachedInputTokens: z.int().optional().describe('Part of inputTokens.'),
  cacheWriteInputTokens: z.int().optional().describe('Part of inputTokens.'),
  cacheWrite1hInputTokens: z.int().optional().describe('Part of cacheWriteInputTokens.'),
  reasoningTokens: z.int().optional().describe('Part of outputTokens.'),
  audioOutputTokens: z.int().optional().describe('Part of outputTokens.'),
  audioInputTokens: z.int().optional(),
  imageInputTokens: z.int().optional(),
  estimated: z.literal(true).optional().describe('The provider’s own count is missing or implausible.'),
})

const ranTool = z.object({
  id: z.string(),
  name: z.string(),
  state: z.enum(['done', 'failed']),
  result: z.unknown(),
})

const served = {
  content: z.string(),
  finishReason: z.string().describe('stop, length, content_filter, tool_calls, stopped or other.'),
  truncated: z.boolean().describe('Whether the size limit of responses cut the answer.'),
  usage,
  costUsd: usd,
  cache: z.enum(['miss', 'hit', 'stale', 'bypass']),
  tools: z.array(ranTool).optional().describe('Tools of the gateway that were run, with their results.'),
}

/** The answer to `POST /api/chat`. */
export const chatAnswer = z.object({
  id: z.string(),
  requestId: z.string(),
  model: z.string(),
  provider: z.string(),
  ...served,
  warnings: z.array(z.string()).optional().describe('Parts of the request that were not honoured.'),
  latencyMs: z.int(),
})

/** An item's answer, among the item's own members. */
export const itemAnswer = z.object({ model: z.string(), provider: z.string(), ...served }).partial()

export const stoppedAnswer = z.object({ id: z.string(), stopped: z.boolean(), content: z.string() })

export const models = z.object({
  models: z.array(
    z.object({
      id: z.string(),
      provider: z.string(),
      contextTokens: z.int().nullable(),
      inputUsdPerMillion: z.number().nullable(),
      outputUsdPerMillion: z.number().nullable(),
      available: z.boolean(),
      default: z.literal(true).optional().describe('Used when a request names no model.'),
      strategy: z.string().optional().describe('Of an alias: how it orders its targets.'),
      targets: z.array(z.string()).optional(),
    }),
  ),
})
