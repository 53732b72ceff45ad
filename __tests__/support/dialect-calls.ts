import { rawJsonOf } from '#lib/http/body.ts'
import { messagesCall } from '#lib/http/dialects/anthropic-messages/request.ts'
import { chatCall } from '#lib/http/dialects/chat.ts'
import { chatCompletionCall } from '#lib/http/dialects/openai-chat/request.ts'
import { responsesRequest } from '#lib/http/dialects/openai-responses/request.ts'
import { messagesRequest } from '#lib/llm/providers/anthropic/request.ts'
import { chatRequest } from '#lib/llm/providers/shared/chat-request.ts'
import { responsesProtocol } from '#lib/llm/providers/shared/responses-protocol.ts'
import type { Call, Message, WireFormat } from '#lib/llm/types.ts'
import { NO_CONTEXT } from '#lib/responses/context.ts'
import type { ResponseContext } from '#lib/responses/types.ts'
import { messagesBodyOrThrow } from '#lib/validation/anthropic-messages.ts'
import { chatBodyOrThrow } from '#lib/validation/openai-chat.ts'
import { responsesBodyOrThrow } from '#lib/validation/openai-responses.ts'
import { newCall, TARGET } from './calls.ts'

const OPTIONS = { model: 'model', cache: 'default', requestTimeoutMs: 1_000 } as const

/** The call that a request to OpenAI's chat completions becomes. @param text its body as it is sent */
export const openAiCall = async (text: string): Promise<Call> => {
  const sent = await rawJsonOf(text)
  return chatCompletionCall(newCall(), await chatBodyOrThrow(sent), sent, OPTIONS)
}

export const anthropicCall = async (text: string): Promise<Call> => {
  const sent = await rawJsonOf(text)
  const body = await messagesBodyOrThrow(sent.value)
  return messagesCall(newCall(), body, sent, { ...OPTIONS, headers: new Headers() })
}

export const responsesCall = async (text: string, context: ResponseContext = NO_CONTEXT): Promise<Call> => {
  const sent = await rawJsonOf(text)
  const { call } = await responsesRequest(newCall(), await responsesBodyOrThrow(sent), sent, {
    ...OPTIONS,
    context,
  })
  return call
}

export const nativeCall = (messages: readonly Message[]): Call =>
  chatCall(
    newCall(),
    messages,
    { stream: false, cache: 'default', fallback: true, maxTokens: 1_000 },
    { model: 'model', requestTimeoutMs: 1_000, maxResponseBytes: 1_000 },
  )

const text = (body: object | string): string => (typeof body === 'string' ? body : JSON.stringify(body))

/** The body that an upstream of a format gets of a call. */
export const bodyFor = (format: WireFormat, call: Call): string => {
  if (format === 'anthropic-messages') return text(messagesRequest(call, TARGET, new Set()))
  if (format === 'openai-chat')
    return text(chatRequest(call, TARGET, { provider: 'openai', knowsDeveloper: true }, new Set()))
  const protocol = responsesProtocol('openai', { url: '', headers: {} }, text => text)
  return text(protocol.request(call, TARGET, new Set()))
}
