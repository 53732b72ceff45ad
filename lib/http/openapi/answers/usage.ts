import { z } from 'zod'

const count = z.int().min(0)
const usd = z
  .number()
  .nullable()
  .describe('US dollars; null where the price is unknown, never 0 for unknown.')
const nano = z.string().describe('Whole nanodollars (1e-9 US dollars), in decimal.')
const percentiles = z.object({
  p50: z.number().nullable(),
  p95: z.number().nullable(),
  p99: z.number().nullable(),
})

const usageSums = {
  requests: count,
  attempts: count,
  tokens: z.object({
    input: count,
    cachedInput: count.describe('Part of input.'),
    cacheWrite: count.describe('Part of input.'),
    output: count,
    reasoning: count.describe('Part of output.'),
  }),
  costUsd: usd,
  costNanoUsd: nano.describe('Exact: the sum of the rows is the total.'),
  unpricedAttempts: count.describe('Attempts of unknown price, which are in no cost.'),
  reservedUsd: z.number(),
  cacheHits: count,
  cacheHitRate: z.number().nullable(),
  savedUsd: z.number(),
  errors: count,
  errorRate: z.number().nullable(),
  latencyMs: percentiles,
  firstTokenMs: percentiles,
}

/** Usage of a period. */
export const usageReport = z.object({
  from: z.string(),
  to: z.string(),
  rows: z.array(
    z.object({
      model: z.string().nullable().optional(),
      provider: z.string().nullable().optional(),
      keyId: z.string().nullable().optional(),
      name: z.string().nullable().optional(),
      owner: z.string().nullable().optional(),
      day: z.string().optional(),
      week: z.string().optional().describe('By ISO 8601: 2026-W48.'),
      month: z.string().optional(),
      ...usageSums,
    }),
  ),
  total: z.object(usageSums),
})

const tokens = z.object({
  inputTokens: count,
  outputTokens: count,
  cachedInputTokens: count,
  cacheWriteInputTokens: count,
  cacheWrite1hInputTokens: count,
  reasoningTokens: count,
  audioInputTokens: count,
  audioOutputTokens: count,
  imageInputTokens: count,
  estimated: z.boolean(),
})

const request = z.object({
  requestId: z.string(),
  kind: z.string().describe('request, batch-item or refresh.'),
  route: z.string(),
  startedAt: z.string(),
  endedAt: z.string(),
  caller: z.string(),
  keyId: z.string().nullable(),
  requestedModel: z.string().nullable(),
  model: z.string().nullable(),
  provider: z.string().nullable(),
  arm: z.string().nullable(),
  status: z.int().nullable(),
  outcome: z.string().describe('ok, error or aborted.'),
  code: z.string().nullable(),
  attempts: count,
  cache: z.string().nullable(),
  usage: tokens,
  costUsd: usd,
  costNanoUsd: nano.nullable(),
  savedUsd: usd,
  latencyMs: count,
  firstTokenMs: count.nullable(),
})

export const requestList = z.object({ requests: z.array(request), nextCursor: z.string().nullable() })

/** One request, and how it was answered. */
export const explainedRequest = z.object({
  request,
  attempts: z.array(
    z.object({
      target: z.object({ provider: z.string(), model: z.string(), providerModel: z.string() }),
      startedAt: z.string(),
      endedAt: z.string(),
      firstTokenMs: count.nullable(),
      outcome: z.string(),
      code: z.string().nullable(),
      usage: tokens,
      billed: z.object({ unit: z.string(), count: count.nullable() }).optional(),
      costUsd: usd,
      costNanoUsd: nano.nullable(),
      reportedCostUsd: usd.describe('By the provider’s own report, which takes precedence.'),
      computedCostUsd: usd.describe('By the price table, where the report took precedence.'),
      serviceTier: z.string().nullable(),
      priceVersion: z.string().nullable(),
    }),
  ),
  skipped: z.array(z.object({ target: z.string(), reason: z.string() })),
  cache: z.looseObject({ status: z.string().nullable(), savedUsd: usd }),
  limits: z.array(z.looseObject({ name: z.string(), limit: z.number(), remaining: z.number() })),
  budget: z
    .object({
      of: z.array(z.enum(['key', 'owner', 'all'])).describe('Whose budgets apply.'),
      day: z.string().describe('The UTC day to which the reservation belongs.'),
      reservedUsd: z
        .number()
        .describe('For all attempts; what was charged of it is the cost of the request.'),
    })
    .nullable()
    .describe('Null where nothing was reserved.'),
  guardrails: z.array(
    z.object({
      rail: z.string(),
      rule: z.string(),
      kind: z.string(),
      place: z.string(),
      action: z.string(),
      isShadow: z.literal(true).optional(),
      count,
    }),
  ),
  tools: z.array(
    z.object({ tool: z.string(), state: z.enum(['done', 'failed']), reason: z.string().optional() }),
  ),
  timings: z.object({
    latencyMs: count,
    firstTokenMs: count.nullable(),
    upstreamMs: z.number(),
    waitsMs: z.record(z.string(), z.number()),
  }),
})
