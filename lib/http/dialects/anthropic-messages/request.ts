import { GatewayError } from '../../../errors.ts'
import type { ModelParameters, ResponseFormat, Tool, ToolChoice } from '../../../llm/message.ts'
import type { Call, RawRequest } from '../../../llm/types.ts'
import { isObject } from '../../../raw-json.ts'
import { AttemptBudget, type RequestContext } from '../../../request-context.ts'
import type { AnthropicCountBody, AnthropicMessagesBody } from '../../../validation/anthropic-messages.ts'
import { GATEWAY_TOOL, gatewayToolsIn } from '../../../validation/gateway-tools.ts'
import { hasThread, threadRefused } from '../../../vendor-objects/thread.ts'
import type { RawJson } from '../../body.ts'
import type { HeaderOptions } from '../../request-headers.ts'
import { conversationOf } from './content.ts'

/** The headers that belong to the format. */
const FORMAT_HEADERS = ['anthropic-version', 'anthropic-beta'] as const
const WELL_FORMED = /^[\x20-\x7e]{1,4096}$/

/** The format's headers of a request, unchanged. @throws GatewayError INVALID_INPUT for one not in printable ASCII */
export const formatHeaders = (headers: Headers): Readonly<Record<string, string>> => {
  const found: Record<string, string> = {}
  for (const name of FORMAT_HEADERS) {
    const value = headers.get(name)
    if (value === null || value === '') continue
    if (!WELL_FORMED.test(value))
      throw new GatewayError('INVALID_INPUT', `The header ${name} is malformed.`, {
        details: [{ path: name, message: 'must be at most 4,096 printable ASCII characters' }],
      })
    found[name] = value
  }
  return found
}

const rawOf = (
  { text: json, value, members }: RawJson,
  headers: Headers,
  leftOut: readonly string[],
): RawRequest => {
  const found = formatHeaders(headers)
  return {
    format: 'anthropic-messages',
    json,
    members,
    ...(leftOut.length > 0 && { leftOut: leftOut.map(type => `messages.${type}`) }),
    ...(hasThread(value) && { untranslatable: threadRefused() }),
    ...(Object.keys(found).length > 0 && { headers: found }),
  }
}

/** The type of a tool that the client defines itself. */
const CUSTOM = 'custom'

const toolOf = (tool: NonNullable<AnthropicCountBody['tools']>[number]): Tool => {
  const { type = CUSTOM, name = type, description, input_schema: parameters, strict } = tool
  return {
    name,
    ...(description !== undefined && { description }),
    ...(parameters && { parameters }),
    ...(strict !== undefined && { strict }),
    ...(isObject(tool.cache_control) && { cacheControl: tool.cache_control }),
    ...(type !== CUSTOM && { definedBy: type }),
    written: tool,
  }
}

type Choice = NonNullable<AnthropicCountBody['tool_choice']>

const toolChoiceOf = ({ type, name = '' }: Choice): ToolChoice => {
  if (type === 'tool') return { type, name }
  return { type: type === 'any' ? 'required' : type }
}

const responseFormatOf = (body: AnthropicCountBody): ResponseFormat | undefined => {
  const { type, schema } = body.output_config?.format ?? body.output_format ?? {}
  return type === 'json_schema' && schema
    ? { type: 'json-schema', name: 'answer', schema, strict: true }
    : undefined
}

/** Anthropic's service tiers by the names that other vendors have for them. */
const TIERS: Readonly<Record<string, string>> = { auto: 'auto', standard_only: 'default' }

const parametersOf = (body: AnthropicCountBody & Partial<AnthropicMessagesBody>): ModelParameters => {
  const { tool_choice: choice, thinking, service_tier: tier } = body
  const all = {
    topP: body.top_p,
    topK: body.top_k,
    // Other vendors refuse an empty list.
    stop: body.stop_sequences?.length ? body.stop_sequences : undefined,
    tools: body.tools?.filter(({ type }) => type !== GATEWAY_TOOL).map(toolOf),
    toolChoice: choice && toolChoiceOf(choice),
    parallelToolCalls: choice?.disable_parallel_tool_use ? false : undefined,
    responseFormat: responseFormatOf(body),
    reasoningEffort: body.output_config?.effort,
    reasoningTokens: thinking?.type === 'enabled' ? thinking.budget_tokens : undefined,
    serviceTier: tier && (Object.hasOwn(TIERS, tier) ? TIERS[tier] : tier),
    user: body.metadata?.user_id,
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

export type MessagesCallOptions = HeaderOptions &
  Readonly<{
    /** The gateway's name of the model. */
    model: string
    /** The headers of the request. */
    headers: Headers
    requestTimeoutMs: number
  }>

/**
 * The body of `POST /v1/messages`, or of `/v1/messages/count_tokens`, as a call.
 * Rejects with GatewayError INVALID_INPUT for a malformed header of the format
 */
export const messagesCall = async (
  context: RequestContext,
  body: AnthropicCountBody & Partial<AnthropicMessagesBody>,
  sent: RawJson,
  { model, headers, requestTimeoutMs, ...headerOptions }: MessagesCallOptions,
): Promise<Call> => {
  const { messages, leftOut } = await conversationOf(body)
  return {
    ...context,
    messages,
    model,
    stream: body.stream ?? false,
    temperature: body.temperature,
    maxOutputTokens: body.max_tokens,
    parameters: parametersOf(body),
    ...gatewayToolsIn(body.tools),
    raw: rawOf(sent, headers, leftOut),
    ...headerOptions,
    deadlineAt: context.startedAt + requestTimeoutMs,
    fallback: true,
    plan: [],
    attempts: new AttemptBudget(),
  }
}
