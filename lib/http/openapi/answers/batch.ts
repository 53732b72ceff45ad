import { z } from 'zod'
import { ITEM_STATES, JOB_STATES, PRIORITIES } from '../../../batch/types.ts'
import { itemAnswer } from './chat.ts'

const time = z.iso.datetime()
const nextCursor = z.string().nullable().describe('The cursor of the next page; null at the end.')
const itemError = z.object({ code: z.string(), message: z.string(), retryable: z.boolean() })

/** A job of batches. */
export const job = z.object({
  id: z.string(),
  name: z.string(),
  priority: z.enum(PRIORITIES),
  state: z.enum(JOB_STATES),
  counts: z.object({
    total: z.int(),
    queued: z.int(),
    running: z.int(),
    succeeded: z.int(),
    failed: z.int(),
    cancelled: z.int(),
  }),
  progress: z.number().describe('From 0 to 1.'),
  etaSeconds: z.int().nullable(),
  waiting: z
    .object({
      reason: z.enum(['schedule', 'worker', 'queue', 'model']),
      message: z.string(),
      until: time.nullable(),
      code: z.string().optional(),
      model: z.string().nullable().optional(),
    })
    .nullable()
    .describe('Why no item can progress right now; null where one can.'),
  costUsd: z.number().describe('So far, without the unpriced items.'),
  unpricedItems: z.int(),
  createdAt: time,
  scheduledFor: time.nullable(),
  startedAt: time.nullable(),
  endedAt: time.nullable(),
  webhookUrl: z.string().nullable(),
  warnings: z.array(z.string()).describe('What was ignored in an upload.'),
})

/** One item of a job. */
export const item = z.object({
  id: z.string(),
  index: z.int(),
  state: z.enum(ITEM_STATES),
  attempts: z.int(),
  file: z.string().optional().describe('The upload’s file that it came from.'),
  line: z.int().optional(),
  ...itemAnswer.shape,
  error: itemError.optional(),
  startedAt: time.nullable(),
  endedAt: time.nullable(),
})

export const itemDetail = item.extend({
  messages: z.array(z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() })),
})

export const jobList = z.object({ jobs: z.array(job), nextCursor })
export const jobWithItems = job.extend({ items: z.array(item), nextCursor })
export const deletedJob = z.object({ id: z.string(), deleted: z.literal(true) })
