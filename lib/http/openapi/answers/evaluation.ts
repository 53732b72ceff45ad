import { z } from 'zod'
import { JOB_STATES } from '../../../batch/types.ts'
import { GRADER_TYPES } from '../../../evaluation/types.ts'
import { datasetRow } from '../../../validation/evaluation-runs.ts'

const time = z.iso.datetime()
const nextCursor = z.string().nullable().describe('The cursor of the next page; null at the end.')
const score = z.number().nullable().describe('From 0 to 1; null where it could not be determined.')

const grade = z.object({
  name: z.string(),
  type: z.enum(GRADER_TYPES),
  score,
  passed: z.boolean(),
  reason: z.string(),
})

const grading = {
  score: score.describe('The weighted mean of all scores.'),
  passed: z.boolean().describe('Whether it passes all graders.'),
  graders: z.array(grade),
}

export const evaluated = z.object({
  requestId: z.string(),
  ...grading,
  costUsd: z.number().nullable().describe('Of the grading; null where a price is unknown.'),
  latencyMs: z.int(),
})

const datasetFields = {
  id: z.string(),
  name: z.string(),
  rows: z.int(),
  bytes: z.int(),
  createdAt: time,
  expiresAt: time.nullable().describe('Null for those of keys, which stay.'),
}

export const dataset = z.object(datasetFields)
export const datasetDetail = z.object({ ...datasetFields, firstRows: z.array(datasetRow) })
export const datasetList = z.object({ datasets: z.array(dataset), nextCursor })
export const deletedEntry = z.object({ id: z.string(), deleted: z.literal(true) })

const counts = z.object({
  total: z.int(),
  queued: z.int(),
  running: z.int(),
  succeeded: z.int(),
  failed: z.int(),
  cancelled: z.int(),
})

const runFields = {
  id: z.string(),
  name: z.string(),
  state: z.enum(JOB_STATES),
  dataset: z.object({ id: z.string(), name: z.string(), rows: z.int() }),
  counts: counts.describe('Of rows times variants.'),
  threshold: z.number().nullable(),
  createdAt: time,
  startedAt: time.nullable(),
  endedAt: time.nullable(),
}

export const run = z.object({
  ...runFields,
  progress: z.number().describe('From 0 to 1.'),
  variants: z.array(
    z.object({
      name: z.string(),
      model: z.string(),
      system: z.string().optional(),
      prompt: z.string().optional(),
      parameters: z.object({
        temperature: z.number().optional(),
        topP: z.number().optional(),
        seed: z.int().optional(),
        maxTokens: z.int(),
      }),
      cache: z.enum(['default', 'refresh', 'no-store']),
    }),
  ),
  graders: z.array(z.looseObject({ name: z.string(), type: z.enum(GRADER_TYPES), weight: z.number() })),
  costUsd: z.number().describe('Of answers and grades so far, without the unpriced items.'),
  unpricedItems: z.int(),
})

export const runList = z.object({ evaluations: z.array(run), nextCursor })

const interval = z
  .object({ value: z.number(), low: z.number(), high: z.number() })
  .nullable()
  .describe('With its 95 % confidence interval.')

const variantReport = z.object({
  name: z.string(),
  model: z.string(),
  rows: z.int().describe('Rows that have ended.'),
  failures: z.int().describe('Rows without an answer, or without grades; their score is 0.'),
  score: interval,
  passRate: interval,
  graders: z.array(
    z.object({ name: z.string(), type: z.enum(GRADER_TYPES), score: interval, passRate: interval }),
  ),
  costUsd: z.number().nullable(),
  gradingCostUsd: z.number(),
  unpricedRows: z.int(),
  latencyMs: z.object({ p50: z.number().nullable(), p95: z.number().nullable() }),
  wins: z.int().describe('Rows in which it alone has the best score.'),
  ties: z.int(),
  losses: z.int(),
  meetsThreshold: z.boolean().nullable(),
})

const rowAnswer = z.object({
  variant: z.string(),
  state: z.enum(['queued', 'running', 'succeeded', 'failed', 'cancelled']),
  answer: z.string().optional().describe('Its first 2,000 characters.'),
  costUsd: z.number().nullable().optional(),
  latencyMs: z.number().optional(),
  score: score.optional(),
  passed: z.boolean().optional(),
  graders: z.array(grade).optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
})

export const report = z.object({
  ...runFields,
  passed: z.boolean().nullable().describe('Whether every variant reaches the threshold; null until the end.'),
  variants: z.array(variantReport),
  rows: z.array(z.object({ id: z.string(), answers: z.array(rowAnswer) })),
})
