import { z } from 'zod'

const count = z.int().min(0)
const usd = z.number().describe('US dollars.')

const common = {
  message: z.string().describe('The recommendation as a sentence.'),
  savingUsd: usd,
  savingNanoUsd: z.string().describe('Whole nanodollars (1e-9 US dollars), in decimal.'),
}

const cheaperModel = z.object({
  kind: z.literal('cheaper-model'),
  owner: z.string().nullable(),
  route: z.string(),
  inputTokens: z.object({ from: count, to: count }).describe('`to` is not included.'),
  images: z.boolean(),
  model: z.string(),
  requests: count,
  errors: count,
  costUsd: usd,
  alternative: z
    .object({ model: z.string(), requests: count, errors: count, costUsd: usd })
    .describe('`costUsd`: what the requests of `model` would have cost, by their own tokens.'),
  ...common,
})

const cacheRule = z.object({
  kind: z.literal('cache-rule'),
  model: z.string().describe('As it was asked for.'),
  currentTtlSeconds: z.number().nullable().describe('Null where its answers are not cached.'),
  ttlSeconds: count,
  requests: count,
  hits: count,
  ...common,
})

const promptCache = z.object({
  kind: z.literal('prompt-cache'),
  owner: z.string().nullable(),
  provider: z.string(),
  model: z.string(),
  prefixes: count,
  requests: count,
  readTokens: count.describe('Estimated.'),
  writtenTokens: count.describe('Estimated.'),
  ...common,
})

const idleKey = z.object({
  kind: z.literal('idle-key'),
  keyId: z.string(),
  name: z.string(),
  owner: z.string().nullable(),
  createdAt: z.string(),
  lastUsedAt: z.string().nullable(),
  ...common,
})

/** How usage would have cost less. */
export const recommendationsReport = z.object({
  from: z.string().describe('What was looked at: requests from here on.'),
  to: z.string(),
  requests: count,
  recommendations: z.array(z.discriminatedUnion('kind', [cheaperModel, cacheRule, promptCache, idleKey])),
})
