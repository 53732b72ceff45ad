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
