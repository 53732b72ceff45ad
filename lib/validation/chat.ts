import { z } from 'zod'
import { optional, withDefault } from './optional.ts'

export type ChatLimits = Readonly<{
  maxPromptCharacters: number
  maxMessages: number
  maxMessagesCharacters: number
  maxOutputTokens: number
}>

const DEFAULT_MAX_TOKENS = 1_000
const LONGEST_MODEL_NAME = 200

/** Control characters except newline and tab. */
const CONTROL = /[\p{Cc}--[\n\t]]/gv

/** Characters as people count them: an emoji outside the basic plane is one. */
const countCharacters = (text: string): number => {
  let count = 0
  for (const _ of text) count += 1
  return count
}

const number = (value: number): string => value.toLocaleString('en')

const atMost = (limit: number, count: number): string =>
  `must have at most ${number(limit)} characters, has ${number(count)}`

const promptOf = (limit: number) =>
  z
    .string()
    .transform(text => text.replace(CONTROL, '').trim())
    .check(({ value, issues }) => {
      if (value === '') issues.push({ code: 'custom', message: 'must not be empty', input: value })
      if (value.length <= limit) return
      const count = countCharacters(value)
      if (count > limit) issues.push({ code: 'custom', message: atMost(limit, count), input: value })
    })
    .meta({ description: `1 to ${number(limit)} characters after trimming; control characters are removed.` })

const message = z.strictObject({
  role: z.enum(['system', 'user', 'assistant']),
  content: z.string().min(1, 'must not be empty'),
})

const messagesOf = ({ maxMessages, maxMessagesCharacters: limit }: ChatLimits) =>
  z
    // Counted before any of them is checked: a million invalid ones would be a million faults.
    .array(z.unknown())
    .min(1, 'must not be empty')
    .max(maxMessages, `must hold at most ${number(maxMessages)} messages`)
    .pipe(z.array(message))
    .check(({ value, issues }) => {
      const units = value.reduce((total, { content }) => total + content.length, 0)
      const count =
        units <= limit ? units : value.reduce((sum, { content }) => sum + countCharacters(content), 0)
      if (count > limit)
        issues.push({ code: 'custom', message: `together ${atMost(limit, count)}`, input: value })
      if (value.at(-1)?.role !== 'user')
        issues.push({ code: 'custom', message: 'must end with a message from user', input: value })
    })
    .meta({ description: `At most ${number(limit)} characters together; the last one is from user.` })

const between = (least: number, most: number): string => `must be from ${least} to ${number(most)}`

const modelName = z
  .string()
  .min(1, 'must not be empty')
  .max(LONGEST_MODEL_NAME, `must have at most ${LONGEST_MODEL_NAME} characters`)
  .regex(/^[\x21-\x7e]*$/, 'must be printable ASCII without spaces')

/** The fields of a chat request. */
export const questionFields = (limits: ChatLimits) => ({
  prompt: optional(promptOf(limits.maxPromptCharacters)),
  messages: optional(messagesOf(limits)),
  model: optional(modelName),
  temperature: optional(z.number().min(0, between(0, 2)).max(2, between(0, 2))),
  maxTokens: withDefault(
    z
      .int()
      .min(1, between(1, limits.maxOutputTokens))
      .max(limits.maxOutputTokens, between(1, limits.maxOutputTokens)),
    Math.min(DEFAULT_MAX_TOKENS, limits.maxOutputTokens),
  ),
  cache: withDefault(z.enum(['default', 'refresh', 'no-store']), 'default'),
  fallback: withDefault(z.boolean(), true),
})

type Asked = Readonly<{ prompt?: string | undefined; messages?: readonly unknown[] | undefined }>

/** Requires exactly one of prompt and messages. */
export const assertOneQuestion = ({ value, issues }: z.core.ParsePayload<Asked>): void => {
  if ((value.prompt === undefined) === (value.messages === undefined))
    issues.push({
      code: 'custom',
      path: ['prompt'],
      message: 'or messages: send exactly one of them',
      input: value,
    })
}

/** The same rule for the published schema. */
export const ONE_QUESTION = {
  oneOf: [
    { required: ['prompt'], properties: { prompt: { type: 'string' }, messages: { type: 'null' } } },
    { required: ['messages'], properties: { messages: { type: 'array' }, prompt: { type: 'null' } } },
  ],
}

/** The body of `POST /api/chat`. Strict: an unknown field is a fault. */
export const chatBody = (limits: ChatLimits) =>
  z
    .strictObject({ ...questionFields(limits), stream: withDefault(z.boolean(), false) })
    .check(assertOneQuestion)
    .meta(ONE_QUESTION)

export type ChatBody = z.output<ReturnType<typeof chatBody>>
