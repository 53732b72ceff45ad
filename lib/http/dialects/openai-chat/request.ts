import type { GatewayError, Issue } from '../../../errors.ts'
import {
  type Content,
  type ContentPart,
  fileDataUrl,
  type Message,
  type ModelParameters,
  type ResponseFormat,
  type Tool,
  type ToolCall,
  type ToolChoice,
} from '../../../llm/message.ts'
import type { Call } from '../../../llm/types.ts'
import { mapInTurns } from '../../../loop-turns.ts'
import { isObject } from '../../../raw-json.ts'
import { AttemptBudget, type RequestContext } from '../../../request-context.ts'
import { gatewayToolsIn } from '../../../validation/gateway-tools.ts'
import type { OpenAiChatBody } from '../../../validation/openai-chat.ts'
import { invalidInput } from '../../../validation/zod.ts'
import type { RawJson } from '../../body.ts'
import type { HeaderOptions } from '../../request-headers.ts'
import { withBreakpoint } from '../breakpoint.ts'

type BodyMessage = OpenAiChatBody['messages'][number]
type BodyPart = Exclude<NonNullable<BodyMessage['content']>, string>[number]
type BodyTool = NonNullable<OpenAiChatBody['tools']>[number]

/** Anthropic's breakpoint of a prompt cache, as OpenRouter and Open WebUI write it on a part or a tool. */
const cacheControlOf = ({ cache_control: cacheControl }: Readonly<Record<string, unknown>>) =>
  isObject(cacheControl) ? { cacheControl } : {}

const partOf = (part: BodyPart): ContentPart => {
  const { type, text, image_url: image, input_audio: audio, file, refusal } = part
  if (type === 'text' && text !== undefined) return { type, text, ...cacheControlOf(part) }
  if (type === 'refusal' && refusal !== undefined) return { type: 'text', text: refusal }
  if (type === 'image_url' && image !== undefined) {
    const { url, detail } = typeof image === 'string' ? { url: image } : image
    return { type: 'image', url, ...(detail !== undefined && { detail }), ...cacheControlOf(part) }
  }
  if (type === 'input_audio' && audio) return { type: 'audio', base64: audio.data, format: audio.format }
  if (type === 'file' && file)
    return {
      type: 'file',
      ...(file.filename !== undefined && { name: file.filename }),
      ...(file.file_data !== undefined && { url: fileDataUrl(file.file_data) }),
      ...(file.file_id !== undefined && { id: file.file_id }),
      ...cacheControlOf(part),
    }
  return { type: 'other', name: type }
}

const contentOf = (content: BodyMessage['content']): Content =>
  typeof content === 'string' ? content : (content ?? []).map(partOf)

const asText = (input: string | object): string => (typeof input === 'string' ? input : JSON.stringify(input))

const toolCallsOf = (calls: BodyMessage['tool_calls'] = []): readonly ToolCall[] =>
  calls.flatMap(({ id, function: called, custom, extra_content: extraContent }): ToolCall[] => {
    const extra = extraContent === undefined ? {} : { extraContent }
    if (called) return [{ id, name: called.name, arguments: asText(called.arguments), ...extra }]
    return custom ? [{ id, name: custom.name, arguments: custom.input, isCustom: true }] : []
  })

/** A breakpoint of the prompt cache may stand on a message too: Open WebUI writes it there. */
const contentOfMessage = ({ content: given, cache_control: breakpoint }: BodyMessage): Content => {
  const content = contentOf(given)
  if (!isObject(breakpoint)) return content
  return withBreakpoint(typeof content === 'string' ? [{ type: 'text', text: content }] : content, breakpoint)
}

const messageOf = (message: BodyMessage): Message => {
  const { role, refusal, tool_calls: calls, reasoning_content: reasoning } = message
  const content = contentOfMessage(message)
  switch (role) {
    case 'tool':
      return { role, toolCallId: message.tool_call_id ?? '', content }
    case 'function':
      return { role: 'tool', toolCallId: message.name ?? '', content }
    case 'assistant':
      return {
        role,
        content,
        ...(calls && { toolCalls: toolCallsOf(calls) }),
        ...(reasoning !== undefined && { reasoning: [{ text: reasoning }] }),
        ...(refusal !== undefined && { refusal }),
      }
    default:
      return { role, content }
  }
}

const toolOf = (tool: BodyTool): Tool[] => {
  const { function: called, custom } = tool
  if (called) {
    const { name, description, parameters, strict } = called
    return [
      {
        name,
        ...(description !== undefined && { description }),
        ...(parameters && { parameters }),
        ...(strict !== undefined && { strict }),
        ...cacheControlOf(tool),
      },
    ]
  }
  if (!custom) return []
  const { name, description, format } = custom
  return [
    {
      name,
      ...(description !== undefined && { description }),
      custom: { ...(format !== undefined && { format }) },
      ...cacheControlOf(tool),
    },
  ]
}

type Choice = NonNullable<OpenAiChatBody['tool_choice']>

const toolChoiceOf = (choice: Choice): ToolChoice | undefined => {
  if (typeof choice === 'string') return { type: choice === 'any' ? 'required' : choice }
  const { allowed_tools: allowed } = choice
  if (allowed) {
    const names = allowed.tools.flatMap(one => one.function?.name ?? one.custom?.name ?? [])
    return { type: 'allowed', mode: allowed.mode, names }
  }
  const name = choice.function?.name ?? choice.custom?.name
  return name === undefined ? undefined : { type: 'tool', name }
}

const responseFormatOf = (
  format: NonNullable<OpenAiChatBody['response_format']>,
): ResponseFormat | undefined => {
  const { type, json_schema: schema } = format
  if (type === 'json_schema' && schema) {
    const { name, description, schema: definition, strict } = schema
    return {
      type: 'json-schema',
      name,
      ...(description !== undefined && { description }),
      ...(definition && { schema: definition }),
      ...(strict !== undefined && { strict }),
    }
  }
  if (type === 'json_object') return { type: 'json-object' }
  return type === 'text' ? { type } : undefined
}

/** Values that ask for what a model does anyway count as absent. */
const parametersOf = (body: OpenAiChatBody): ModelParameters => {
  const { stop, tool_choice: choice, response_format: format, reasoning } = body
  const effort = body.reasoning_effort ?? reasoning?.effort
  const toolChoice = choice === undefined ? undefined : toolChoiceOf(choice)
  const responseFormat = format && responseFormatOf(format)
  const all = {
    topP: body.top_p,
    choices: body.n === 1 ? undefined : body.n,
    stop: typeof stop === 'string' ? [stop] : stop,
    seed: body.seed,
    frequencyPenalty: body.frequency_penalty || undefined,
    presencePenalty: body.presence_penalty || undefined,
    tools: body.tools?.flatMap(toolOf),
    toolChoice,
    parallelToolCalls: body.parallel_tool_calls,
    responseFormat,
    reasoningEffort: effort,
    reasoningTokens: reasoning?.max_tokens,
    serviceTier: body.service_tier,
    user: body.user,
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

export type ChatCompletionOptions = HeaderOptions &
  Readonly<{
    /** The gateway's name of the model. */
    model: string
    requestTimeoutMs: number
  }>

const EARLIER_FORM = 'is the earlier form of tool calls, which this model does not take'

const isGivenList = (value: unknown): boolean => Array.isArray(value) && value.length > 0

/** The earlier form of tools in a request; a choice of `auto` or `none` without them asks for nothing. */
const earlierTools = ({ functions, function_call: choice }: OpenAiChatBody): Issue | undefined => {
  const path = isGivenList(functions) ? 'functions' : isObject(choice) ? 'function_call' : undefined
  return path && { path, message: `${EARLIER_FORM}: use tools` }
}

/** The earlier form of tool calls has no ids, by which other formats know whose result one is. */
const earlierCalls = ({ messages }: OpenAiChatBody): Issue | undefined => {
  const at = messages.findIndex(one => isObject(one.function_call) || one.role === 'function')
  if (at === -1) return undefined
  const path = `messages.${at}.${isObject(messages[at]?.function_call) ? 'function_call' : 'role'}`
  return { path, message: `${EARLIER_FORM}: use tool_calls` }
}

const LIMITS = ['max_tokens', 'max_completion_tokens'] as const

/** Values that only a vendor of the same format may take. */
const outOfRange = ({ temperature = 0, ...limits }: OpenAiChatBody): Issue | undefined => {
  if (temperature < 0 || temperature > 2) return { path: 'temperature', message: 'must be from 0 to 2' }
  const path = LIMITS.find(name => (limits[name] ?? 1) < 1)
  return path && { path, message: 'must be at least 1' }
}

/** The limit of output tokens; some vendors take a negative one for none. */
const limitOf = ({ max_tokens: most, max_completion_tokens: newer = most }: OpenAiChatBody) =>
  newer === undefined || newer < 1 ? undefined : newer

/** Why a body makes sense to a vendor of its own format alone. */
const untranslatable = (body: OpenAiChatBody): GatewayError | undefined => {
  const issue = earlierTools(body) ?? earlierCalls(body) ?? outOfRange(body)
  return issue && invalidInput([issue])
}

/** The body of `POST /v1/chat/completions` as a call. */
export const chatCompletionCall = async (
  context: RequestContext,
  body: OpenAiChatBody,
  { text: json, members }: RawJson,
  { model, requestTimeoutMs, ...headerOptions }: ChatCompletionOptions,
): Promise<Call> => ({
  ...context,
  messages: await mapInTurns(body.messages, messageOf),
  model,
  stream: body.stream ?? false,
  temperature: body.temperature,
  maxOutputTokens: limitOf(body),
  parameters: parametersOf(body),
  ...gatewayToolsIn(body.tools),
  raw: { format: 'openai-chat', json, members, untranslatable: untranslatable(body) },
  ...headerOptions,
  deadlineAt: context.startedAt + requestTimeoutMs,
  fallback: true,
  plan: [],
  attempts: new AttemptBudget(),
})
