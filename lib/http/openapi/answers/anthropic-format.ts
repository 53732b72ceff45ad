import { z } from 'zod'

/** Anthropic's own answers pass as they are: members that are not listed here pass too. */
export const message = z.looseObject({
  id: z.string(),
  type: z.literal('message'),
  role: z.literal('assistant'),
  model: z.string(),
  content: z.array(z.looseObject({ type: z.string(), text: z.string().optional() })),
  stop_reason: z.string().nullable(),
  stop_sequence: z.string().nullable().optional(),
  usage: z.looseObject({ input_tokens: z.int(), output_tokens: z.int() }),
})

export const tokenCount = z.looseObject({ input_tokens: z.int() })

export const messageBatch = z.looseObject({
  id: z.string(),
  type: z.literal('message_batch'),
  processing_status: z.enum(['in_progress', 'canceling', 'ended']),
  request_counts: z.looseObject({
    processing: z.int(),
    succeeded: z.int(),
    errored: z.int(),
    canceled: z.int(),
    expired: z.int(),
  }),
  created_at: z.string(),
  expires_at: z.string(),
  ended_at: z.string().nullable(),
  results_url: z.string().nullable(),
})

export const messageBatches = z.looseObject({
  data: z.array(messageBatch),
  has_more: z.boolean(),
  first_id: z.string().nullable(),
  last_id: z.string().nullable(),
})

export const removedMessageBatch = z.object({ id: z.string(), type: z.literal('message_batch_deleted') })
