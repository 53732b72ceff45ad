import { z } from 'zod'

/** An answer comes from the upstream as it is where it has Responses: members that are not listed here pass too. */
export const response = z.looseObject({
  id: z.string(),
  object: z.literal('response'),
  created_at: z.number(),
  status: z.string(),
  model: z.string(),
  output: z.array(z.looseObject({ type: z.string() })),
  usage: z
    .looseObject({ input_tokens: z.int(), output_tokens: z.int(), total_tokens: z.int() })
    .nullable()
    .optional(),
})

export const removedResponse = z.object({
  id: z.string(),
  object: z.literal('response'),
  deleted: z.literal(true),
})

const listOf = (data: z.ZodType) =>
  z.looseObject({
    object: z.literal('list'),
    data: z.array(data),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
    has_more: z.boolean(),
  })

export const inputItems = listOf(z.looseObject({ type: z.string() }))

export const file = z.looseObject({
  id: z.string(),
  object: z.literal('file'),
  bytes: z.int(),
  created_at: z.int(),
  expires_at: z.int().optional(),
  filename: z.string(),
  purpose: z.string(),
  status: z.string(),
})

export const files = listOf(file)

export const removedFile = z.object({ id: z.string(), object: z.literal('file'), deleted: z.literal(true) })

export const batch = z.looseObject({
  id: z.string(),
  object: z.literal('batch'),
  endpoint: z.string(),
  input_file_id: z.string(),
  completion_window: z.string(),
  status: z.enum([
    'validating',
    'failed',
    'in_progress',
    'finalizing',
    'completed',
    'expired',
    'cancelling',
    'cancelled',
  ]),
  output_file_id: z.string().nullable().optional(),
  error_file_id: z.string().nullable().optional(),
  created_at: z.int(),
  request_counts: z.looseObject({ total: z.int(), completed: z.int(), failed: z.int() }),
})

export const batches = listOf(batch)
