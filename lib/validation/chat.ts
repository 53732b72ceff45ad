import { z } from 'zod'
import { CACHE_KIND_RULE, CACHE_KINDS } from '../cache-kinds.ts'
import { grouped } from './grouped.ts'
import { type Bounds, listOf, partsOf } from './list-limits.ts'
import { optional, withDefault } from './zod.ts'

export type ChatLimits = Readonly<{
  maxPromptCharacters: number
  maxMessages: number
  maxMessagesCharacters: number
  maxOutputTokens: number
}>

const DEFAULT_MAX_TOKENS = 1_000
const LONGEST_MODEL_NAME = 200
const MOST_GATEWAY_TOOLS = 20

/** Control characters except newline and tab. */
const CONTROL = /[\p{Cc}--[\n\t]]/gv

/** Characters as people count them: an emoji outside the basic plane is one. */
const countCharacters = (text: string): number => {
  let count = 0
  for (const _ of text) count += 1
  return count
}

const atMost = (limit: number, count: number): string =>
  `must have at most ${grouped(limit)} characters, has ${grouped(count)}`

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
    .meta({
      description: `1 to ${grouped(limit)} characters after trimming; control characters are removed.`,
    })

const message = z.strictObject({
  role: z.enum(['system', 'user', 'assistant']),
  content: z.string().min(1, 'must not be empty'),
})

const messageBounds = (most: number): Bounds => ({
  least: 1,
  most,
  tooMany: `must hold at most ${grouped(most)} messages`,
})

const messagesOf = ({ maxMessages, maxMessagesCharacters: limit }: ChatLimits) =>
  listOf(message, messageBounds(maxMessages))
    .check(({ value, issues }) => {
      const units = value.reduce((total, { content }) => total + content.length, 0)
      const count =
        units <= limit ? units : value.reduce((sum, { content }) => sum + countCharacters(content), 0)
      if (count > limit)
        issues.push({ code: 'custom', message: `together ${atMost(limit, count)}`, input: value })
      if (value.at(-1)?.role !== 'user')
        issues.push({ code: 'custom', message: 'must end with a message from user', input: value })
    })
    .meta({ description: `At most ${grouped(limit)} characters together; the last one is from user.` })

const between = (least: number, most: number): string => `must be from ${least} to ${grouped(most)}`

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
  tools: optional(
    listOf(z.string().min(1, 'must not be empty').max(64, 'must have at most 64 characters'), {
      most: MOST_GATEWAY_TOOLS,
      tooMany: `must hold at most ${MOST_GATEWAY_TOOLS} names`,
    }).meta({ description: 'Tools of the gateway that the model may use; GET /api/tools lists them.' }),
  ),
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

/** The rule of `assertOneQuestion` for the published schema. */
export const ONE_QUESTION = {
  oneOf: [
    { required: ['prompt'], properties: { prompt: { type: 'string' }, messages: { type: 'null' } } },
    { required: ['messages'], properties: { messages: { type: 'array' }, prompt: { type: 'null' } } },
  ],
}

const cacheKind = optional(z.enum(CACHE_KINDS, CACHE_KIND_RULE))

/** The body of `POST /api/chat`. Strict: an unknown field is a fault. */
export const chatBody = (limits: ChatLimits) =>
  z
    .strictObject({
      ...questionFields(limits),
      stream: withDefault(z.boolean(), false),
      cacheKind,
    })
    .check(assertOneQuestion)
    .meta(ONE_QUESTION)

export type ChatBody = z.output<ReturnType<typeof chatBody>>

const PART_WITH_TEXT: ReadonlySet<string> = new Set(['text', 'reasoning'])

/** A part of a UI message. Source: `UIMessagePart` of the AI SDK. */
const uiPart = z
  .looseObject({
    type: z.string().min(1, 'must not be empty'),
    text: optional(z.string()),
    mediaType: optional(z.string()),
    url: optional(z.string()),
    filename: optional(z.string()),
    toolCallId: optional(z.string()),
    toolName: optional(z.string()),
    state: optional(z.string()),
    input: optional(z.unknown()),
    output: optional(z.unknown()),
    errorText: optional(z.string()),
    providerExecuted: optional(z.boolean()),
    providerMetadata: optional(z.looseObject({})),
    callProviderMetadata: optional(z.looseObject({})),
  })
  .check(({ value, issues }) => {
    const missing = (name: string) =>
      issues.push({ code: 'custom', path: [name], message: 'is required', input: value })
    if (PART_WITH_TEXT.has(value.type) && value.text === undefined) missing('text')
    if (value.type === 'file' && value.url === undefined) missing('url')
    if (isToolPart(value.type) && value.toolCallId === undefined) missing('toolCallId')
  })

/** Whether a part is a call of a tool, with its result where there is one. */
export const isToolPart = (type: string): boolean => type === 'dynamic-tool' || type.startsWith('tool-')

const uiMessage = z.looseObject({
  id: optional(z.string()),
  role: z.enum(['system', 'user', 'assistant']),
  parts: partsOf(uiPart),
})

export type UiMessage = z.output<typeof uiMessage>
export type UiPart = z.output<typeof uiPart>

/**
 * The body of `POST /api/chat` as the AI SDK's `useChat` sends it: other fields than these may be there. Source:
 * `HttpChatTransport` of the AI SDK.
 */
export const uiChatBody = (limits: ChatLimits) => {
  const { maxMessages, maxMessagesCharacters: most } = limits
  const { model, temperature, maxTokens, cache, fallback, tools } = questionFields(limits)
  return z.looseObject({
    messages: listOf(uiMessage, messageBounds(maxMessages)).check(({ value, issues }) => {
      const count = value.flatMap(({ parts }) => parts).reduce((sum, { text = '' }) => sum + text.length, 0)
      const rule = `together must have at most ${grouped(most)} characters, has ${grouped(count)}`
      if (count > most) issues.push({ code: 'custom', message: rule, input: value })
    }),
    model,
    temperature,
    maxTokens,
    cache,
    fallback,
    cacheKind,
    // Applications send fields of the same name and another form.
    tools: tools.catch(undefined),
  })
}

export type UiChatBody = z.output<ReturnType<typeof uiChatBody>>

/** Whether a body of `POST /api/chat` is one of the AI SDK: its messages have parts. */
export const isUiChatBody = (value: unknown): boolean => {
  const { messages } = (value ?? {}) as { messages?: unknown }
  return (
    Array.isArray(messages) && messages.some(one => Array.isArray((one as { parts?: unknown } | null)?.parts))
  )
}
