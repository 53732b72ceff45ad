import { z } from 'zod'
import { type ChatLimits, questionFields } from './chat.ts'
import { optional } from './optional.ts'

const PART_WITH_TEXT: ReadonlySet<string> = new Set(['text', 'reasoning'])

/** A part of a UI message. Source: `UIMessagePart` of the AI SDK. */
const part = z
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

const message = z.looseObject({
  id: optional(z.string()),
  role: z.enum(['system', 'user', 'assistant']),
  parts: z.array(part),
})

export type UiMessage = z.output<typeof message>
export type UiPart = z.output<typeof part>

/**
 * The body of `POST /api/chat` as the AI SDK's `useChat` sends it: other fields than these may be there. Source:
 * `HttpChatTransport` of the AI SDK.
 */
export const uiChatBody = (limits: ChatLimits) => {
  const { maxMessages, maxMessagesCharacters: most } = limits
  const { model, temperature, maxTokens, cache, fallback } = questionFields(limits)
  return z.looseObject({
    messages: z
      .array(z.unknown())
      .min(1, 'must not be empty')
      .max(maxMessages, `must hold at most ${maxMessages.toLocaleString('en')} messages`)
      .pipe(z.array(message))
      .check(({ value, issues }) => {
        const count = value.flatMap(({ parts }) => parts).reduce((sum, { text = '' }) => sum + text.length, 0)
        const rule = `together must have at most ${most.toLocaleString('en')} characters, has ${count.toLocaleString('en')}`
        if (count > most) issues.push({ code: 'custom', message: rule, input: value })
      }),
    model,
    temperature,
    maxTokens,
    cache,
    fallback,
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
