import { GatewayError } from '../../../errors.ts'
import {
  type ContentPart,
  type Message,
  placedAfter,
  type Reasoning,
  type ToolCall,
} from '../../../llm/message.ts'
import type { Call } from '../../../llm/types.ts'
import { isObject } from '../../../raw-json.ts'
import type { RequestContext } from '../../../request-context.ts'
import { isToolPart, type UiChatBody, type UiMessage, type UiPart } from '../../../validation/chat.ts'
import { type ChatDefaults, chatCall } from '../chat.ts'

const DATA_URL = /^data:[^,]*;base64,/

const audioPart = (url: string, mediaType: string): ContentPart => ({
  type: 'audio',
  base64: url.replace(DATA_URL, ''),
  format: mediaType.replace(/^audio\/(?:x-)?/, '').replace('mpeg', 'mp3'),
})

const filePart = ({ url = '', mediaType = '', filename }: UiPart): ContentPart => {
  if (mediaType.startsWith('image/')) return { type: 'image', url }
  if (mediaType.startsWith('audio/') && DATA_URL.test(url)) return audioPart(url, mediaType)
  return { type: 'file', url, ...(filename !== undefined && { name: filename }) }
}

/** Parts of other types, such as sources and an application's own data, are not for the model. */
const contentOf = (parts: readonly UiPart[]): ContentPart[] =>
  parts.flatMap((part): ContentPart[] => {
    if (part.type === 'text') return [{ type: 'text', text: part.text ?? '' }]
    return part.type === 'file' ? [filePart(part)] : []
  })

/** The name under which what only a vendor understands travels to the client and back. */
export const CARRIED_BY = 'parley'

const reasoningOf = ({ text = '', providerMetadata }: UiPart): Reasoning => {
  const carried = providerMetadata?.[CARRIED_BY]
  const { signature, redacted } = isObject(carried) ? carried : {}
  if (typeof redacted === 'string') return { text: '', redacted }
  return { text, ...(typeof signature === 'string' && { signature }) }
}

type Offered = ReadonlySet<string>

/**
 * A call whose arguments have not arrived whole is left out, and one of a tool of the gateway's that the request does
 * not offer again: providers refuse calls of unknown tools.
 */
const isCalled = ({ type, state, providerExecuted, toolName = '' }: UiPart, offered: Offered): boolean =>
  isToolPart(type) && state !== 'input-streaming' && (!providerExecuted || offered.has(toolName))

const toolCallOf = ({
  type,
  toolName,
  toolCallId = '',
  input = {},
  callProviderMetadata,
}: UiPart): ToolCall => {
  const { extraContent } = (callProviderMetadata?.[CARRIED_BY] ?? {}) as { extraContent?: unknown }
  return {
    id: toolCallId,
    name: toolName ?? type.replace(/^tool-/, ''),
    arguments: JSON.stringify(input),
    ...(extraContent !== undefined && { extraContent }),
  }
}

const resultOf = ({ state, output, errorText }: UiPart): string | undefined => {
  if (state === 'output-error') return errorText ?? 'The tool failed.'
  if (state === 'output-denied') return 'The user has not permitted this.'
  if (state !== 'output-available') return undefined
  return typeof output === 'string' ? output : JSON.stringify(output ?? null)
}

const toolMessagesOf = (part: UiPart): Message[] => {
  const content = resultOf(part)
  return content === undefined ? [] : [{ role: 'tool', toolCallId: part.toolCallId ?? '', content }]
}

/** One step of an assistant's message: what the model said, and the results of the tools that it called. */
const stepMessages = (parts: readonly UiPart[], offered: Offered): Message[] => {
  const content: ContentPart[] = []
  const called: UiPart[] = []
  const reasoning: Reasoning[] = []
  for (const part of parts)
    if (part.type === 'reasoning')
      reasoning.push(placedAfter(reasoningOf(part), content.length + called.length))
    else if (isCalled(part, offered)) called.push(part)
    else content.push(...contentOf([part]))
  if (content.length + called.length === 0) return []
  const said: Message = {
    role: 'assistant',
    content,
    ...(called.length > 0 && { toolCalls: called.map(toolCallOf) }),
    ...(reasoning.length > 0 && { reasoning }),
  }
  return [said, ...called.flatMap(toolMessagesOf)]
}

const stepsOf = (parts: readonly UiPart[]): UiPart[][] => {
  const steps: UiPart[][] = [[]]
  for (const part of parts)
    if (part.type === 'step-start') steps.push([])
    else steps.at(-1)?.push(part)
  return steps
}

const messagesOf = ({ role, parts }: UiMessage, offered: Offered): Message[] => {
  if (role === 'assistant') return stepsOf(parts).flatMap(step => stepMessages(step, offered))
  const content = contentOf(parts)
  return content.length === 0 ? [] : [{ role, content }]
}

/**
 * UI messages as messages of a call: a step of the assistant and the results of its tools are messages of
 * their own.
 * @throws GatewayError INVALID_INPUT where they hold nothing for the model
 */
const callMessages = ({ messages, tools }: UiChatBody): Message[] => {
  const offered = new Set(tools)
  const found = messages.flatMap(message => messagesOf(message, offered))
  if (found.length > 0) return found
  const message = 'must hold a text, a file or the result of a tool'
  throw new GatewayError('INVALID_INPUT', `messages ${message}`, { details: [{ path: 'messages', message }] })
}

/** A body of the AI SDK as a call. */
export const uiChatCall = (
  context: RequestContext,
  body: UiChatBody,
  defaults: ChatDefaults,
  labels?: Pick<Call, 'cacheTags' | 'cacheKind'>,
): Call => chatCall(context, callMessages(body), { ...body, stream: true }, defaults, labels)

/** The id of the assistant's message that the answer continues, after the results of its tools. */
export const continuedMessage = ({ messages }: UiChatBody): string | undefined => {
  const last = messages.at(-1)
  return last?.role === 'assistant' ? last.id : undefined
}
