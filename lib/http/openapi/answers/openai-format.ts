import { z } from 'zod'

/** Answers come from the upstream as they are: members that are not listed here pass too. */
const tokens = z.looseObject({
  prompt_tokens: z.int(),
  completion_tokens: z.int().optional(),
  total_tokens: z.int(),
})

const toolCall = z.looseObject({
  id: z.string(),
  type: z.string(),
  function: z.looseObject({ name: z.string(), arguments: z.string() }).optional(),
})

const message = z.looseObject({
  role: z.string(),
  content: z.string().nullable().optional(),
  refusal: z.string().nullable().optional(),
  reasoning_content: z.string().optional(),
  tool_calls: z.array(toolCall).optional(),
})

export const chatCompletion = z.looseObject({
  id: z.string(),
  object: z.literal('chat.completion'),
  created: z.int(),
  model: z.string(),
  choices: z.array(
    z.looseObject({ index: z.int(), message, finish_reason: z.string(), logprobs: z.unknown().optional() }),
  ),
  usage: tokens.optional(),
})

export const completion = z.looseObject({
  id: z.string(),
  object: z.string(),
  created: z.int(),
  model: z.string(),
  choices: z.array(z.looseObject({ index: z.int(), text: z.string(), finish_reason: z.string().nullable() })),
  usage: tokens.optional(),
})

export const embeddings = z.looseObject({
  object: z.literal('list'),
  data: z.array(
    z.looseObject({
      object: z.literal('embedding'),
      index: z.int(),
      embedding: z.union([z.array(z.number()), z.string()]).describe('Numbers, or base64 where asked for.'),
    }),
  ),
  model: z.string(),
  usage: tokens,
})

export const moderation = z.looseObject({
  id: z.string(),
  model: z.string(),
  results: z.array(z.looseObject({ flagged: z.boolean() })),
})

export const images = z.looseObject({
  created: z.int(),
  data: z.array(z.looseObject({ url: z.string().optional(), b64_json: z.string().optional() })),
})

export const transcription = z.looseObject({ text: z.string() })

export const reranking = z.looseObject({
  results: z.array(z.looseObject({ index: z.int(), relevance_score: z.number() })),
})

/** One model, in OpenAI's form and in Anthropic's at once. */
export const model = z.object({
  id: z.string(),
  object: z.literal('model'),
  created: z.int(),
  owned_by: z.string(),
  type: z.literal('model'),
  display_name: z.string(),
  created_at: z.string(),
  context_window: z.int().optional(),
})

export const modelList = z.object({
  object: z.literal('list'),
  data: z.array(model),
  has_more: z.boolean(),
  first_id: z.string().nullable(),
  last_id: z.string().nullable(),
  models: z.array(model.extend({ slug: z.string() })).describe('The same, for Codex.'),
})
