import { z } from 'zod'
import { parseOrThrow } from '../../validation/faults.ts'

/** What stands in a file for one item, brought into the shape of an item and not yet validated. */
export type Draft = Readonly<{
  fields: Readonly<Record<string, unknown>>
  /** Taken as it is, also where there is an instruction. */
  standsAlone?: true
}>

/** What a file reader finds: a draft, or why there is none; `line`, or `at` (`[3]`), says where. */
export type Finding = Readonly<{ line?: number; at?: string } & ({ draft: Draft } | { fault: string })>

const OPENAI_URL = '/v1/chat/completions'

const openAiLine = z.strictObject({
  custom_id: z.string(),
  method: z.literal('POST'),
  url: z.literal(OPENAI_URL),
  body: z
    .strictObject({
      model: z.string(),
      messages: z.array(z.unknown()),
      temperature: z.number().optional(),
      max_tokens: z.int().optional(),
      max_completion_tokens: z.int().optional(),
    })
    .refine(body => body.max_tokens === undefined || body.max_completion_tokens === undefined, {
      path: ['max_tokens'],
      error: 'or max_completion_tokens: send at most one of them',
    }),
})

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const draftOfOpenAi = (value: unknown): Draft => {
  const { custom_id: id, body } = parseOrThrow(openAiLine, value)
  const { model, messages, temperature } = body
  const maxTokens = body.max_completion_tokens ?? body.max_tokens
  return {
    fields: {
      id,
      model,
      messages,
      ...(temperature !== undefined && { temperature }),
      ...(maxTokens !== undefined && { maxTokens }),
    },
    standsAlone: true,
  }
}

/**
 * The draft of a JSON value: OpenAI's batch line, taken as it is; an item with `prompt` or `messages`; a string,
 * which is a prompt; or, below an instruction, any other value written as JSON.
 * @throws GatewayError INVALID_INPUT for an OpenAI line that asks for what we cannot do.
 */
export const draftOfJson = (value: unknown, hasInstruction: boolean): Draft | undefined => {
  if (typeof value === 'string') return { fields: { prompt: value } }
  if (isObject(value)) {
    if (Object.hasOwn(value, 'custom_id') || Object.hasOwn(value, 'url')) return draftOfOpenAi(value)
    if (Object.hasOwn(value, 'prompt') || Object.hasOwn(value, 'messages')) return { fields: value }
  }
  return hasInstruction ? { fields: { prompt: JSON.stringify(value) } } : undefined
}
