import { z } from 'zod'

const part = z.strictObject({ type: z.literal('text'), text: z.string() })
const content = z.union([z.string(), z.array(part).min(1)], 'must be text, or a list of parts of type text')

const message = z.strictObject({
  role: z.enum(['system', 'developer', 'user', 'assistant']),
  content,
})

const body = z.strictObject({
  model: z.string().optional(),
  messages: z.array(message).min(1, 'must not be empty'),
  temperature: z.number().nullish(),
  max_tokens: z.int().nullish(),
  max_completion_tokens: z.int().nullish(),
  stream: z.literal(false, 'must be false or absent').optional(),
  n: z.literal(1, 'must be 1 or absent').optional(),
})

const textOf = (value: z.output<typeof content>): string =>
  typeof value === 'string' ? value : value.map(({ text }) => text).join('')

const rolesOf = { system: 'system', developer: 'system', user: 'user', assistant: 'assistant' } as const

/**
 * A line of OpenAI's batch input, as an item of ours. What of a body we cannot do is a fault, and never left out.
 *
 * Source: platform.openai.com/docs/guides/batch, "Preparing your batch file".
 */
export const openAiLine = z
  .strictObject({
    custom_id: z.string().min(1, 'must not be empty'),
    method: z.literal('POST', 'must be POST').default('POST'),
    url: z.literal('/v1/chat/completions', 'must be /v1/chat/completions').default('/v1/chat/completions'),
    body,
  })
  .transform(({ custom_id, body: asked }) => ({
    id: custom_id,
    messages: asked.messages.map(({ role, content: said }) => ({
      role: rolesOf[role],
      content: textOf(said),
    })),
    model: asked.model,
    temperature: asked.temperature ?? undefined,
    maxTokens: asked.max_completion_tokens ?? asked.max_tokens ?? undefined,
  }))

/** Whether a value is meant to be one. */
export const isOpenAiLine = (value: object): boolean => 'custom_id' in value && 'body' in value
