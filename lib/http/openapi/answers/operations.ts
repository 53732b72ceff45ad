import { z } from 'zod'

const status = z.enum(['healthy', 'degraded', 'unhealthy'])

export const live = z.object({ status: z.literal('ok') })
export const ready = z.object({ status: z.enum(['ready', 'stopping']) })

export const health = z.object({
  status,
  uptimeSeconds: z.int(),
  version: z.string(),
  services: z
    .record(
      z.string(),
      z.object({ status, latencyMs: z.number().optional(), message: z.string().optional() }),
    )
    .describe('Each part by its name; providers by what was seen of them.'),
})

/** Statistics of the cache since the process started. */
export const cacheReport = z.object({
  enabled: z.boolean(),
  hits: z.int(),
  misses: z.int(),
  stale: z.int(),
  bypassed: z.int(),
  coalesced: z.int(),
  stores: z.int(),
  refreshes: z.int(),
  failedRefreshes: z.int(),
  invalidations: z.int(),
  hitRate: z.number().nullable(),
  entries: z.int().nullable(),
  bytes: z.int().nullable(),
})

const budgetPeriod = z.object({
  period: z.string(),
  limitUsd: z.number().nullable(),
  spentUsd: z.number(),
  reservedUsd: z.number(),
  remainingUsd: z.number().nullable(),
  spentNanoUsd: z.string(),
  reservedNanoUsd: z.string(),
  renewsAt: z.string(),
})

/** A budget and what is spent and reserved of it. */
export const budget = z.object({
  scope: z.string(),
  budgetUsd: z.object({ day: z.number().nullable(), month: z.number().nullable() }),
  day: budgetPeriod,
  month: budgetPeriod,
})

export const budgetList = z.object({
  budgets: z.array(budget),
  nextCursor: z.string().nullable().describe('The cursor of the next page; null at the end.'),
})

export const invalidated = z.object({
  invalidated: z.object({
    tag: z.string().optional(),
    kind: z.string().optional(),
    model: z.string().optional(),
    pattern: z.string().optional(),
    all: z.literal(true).optional(),
  }),
})
