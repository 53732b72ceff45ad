import type { Clock } from '../../clock.ts'
import type { GatewayError } from '../../errors.ts'
import { collect, type Finish, type ToolEvent } from '../../llm/events.ts'
import { tokensOf } from '../../llm/message.ts'
import type { Call, Message, Reply, ResponseLimit, Usage } from '../../llm/types.ts'
import { usdOf } from '../../money.ts'
import { AttemptBudget, type RequestContext } from '../../request-context.ts'
import type { ChatBody } from '../../validation/chat.ts'
import { errorBody } from '../error-response.ts'
import type { Pieces } from '../pieces.ts'
import { costHeaders, type RouteResponse } from '../route-response.ts'
import { eventStream, sseEvent } from '../sse.ts'
import { framesOf } from './frames.ts'

export type ChatDefaults = Readonly<{
  model: string
  maxResponseBytes: ResponseLimit
  requestTimeoutMs: number
}>

/** What a chat request asks for besides its question. */
type ChatOptions = Pick<ChatBody, 'model' | 'temperature' | 'maxTokens' | 'cache' | 'fallback' | 'stream'> &
  Partial<Pick<ChatBody, 'tools' | 'cacheKind'>>

/** The messages of a body of `POST /api/chat`. */
export const questionOf = ({ prompt, messages }: ChatBody): readonly Message[] =>
  messages ?? [{ role: 'user', content: prompt ?? '' }]

/** A request to `POST /api/chat` as a call. */
export const chatCall = (
  context: RequestContext,
  messages: readonly Message[],
  body: ChatOptions,
  defaults: ChatDefaults,
  labels: Pick<Call, 'cacheTags' | 'cacheKind'> = {},
): Call => ({
  ...context,
  messages,
  model: body.model ?? defaults.model,
  stream: body.stream,
  temperature: body.temperature,
  maxOutputTokens: body.maxTokens,
  gatewayTools: body.tools,
  deadlineAt: context.startedAt + defaults.requestTimeoutMs,
  maxResponseBytes: defaults.maxResponseBytes,
  cache: body.cache,
  ...labels,
  ...(body.cacheKind !== undefined && { cacheKind: body.cacheKind }),
  fallback: body.fallback,
  plan: [],
  attempts: new AttemptBudget(),
})

/** How an answer's first event describes it. */
export const opening = (context: RequestContext, { head }: Reply) => ({
  id: head.id,
  requestId: context.requestId,
  model: head.target.name,
  provider: head.target.provider,
})

/** What an answer used, and its cost; null where its price is unknown. */
const expense = (usage: Usage) => ({
  usage: tokensOf(usage),
  costUsd: usage.costPicoUsd === undefined ? null : usdOf(usage.costPicoUsd),
})

/** Warnings: parts of the call that were not honoured, and those known only at the answer's end. */
const warningsOf = ({ head }: Reply, finish: Finish) => {
  const warnings = [...(head.warnings ?? []), ...(finish.warnings ?? [])]
  return warnings.length > 0 && { warnings }
}

/** What is known of an answer at its end. */
export const closing = (
  context: RequestContext,
  reply: Reply,
  finish: Finish,
  usage: Usage,
  now: number,
) => ({
  finishReason: finish.reason,
  truncated: finish.truncated ?? false,
  ...expense(usage),
  cache: reply.head.cache,
  ...warningsOf(reply, finish),
  latencyMs: Math.round(now - context.startedAt),
})

/** A run of a tool as clients see it. */
const toolBody = ({ type: _, arguments: __, ...event }: ToolEvent): Omit<ToolEvent, 'type' | 'arguments'> =>
  event

const json = async (context: RequestContext, reply: Reply, clock: Clock): Promise<RouteResponse> => {
  const { text, refusal, tools, finish } = await collect(reply)
  const usage = await reply.usage
  return {
    json: {
      ...opening(context, reply),
      content: text + refusal,
      ...(tools && { tools: tools.map(toolBody) }),
      ...closing(context, reply, finish, usage, clock.now()),
    },
    headers: costHeaders(usage),
  }
}

/** A reply as the frames of an event stream. */
export const frames = (context: RequestContext, reply: Reply, clock: Clock): Pieces<string> => {
  const start = opening(context, reply)
  return framesOf(reply, {
    start: () => sseEvent('start', { ...start, cache: reply.head.cache }),
    write: event => {
      if (event.type === 'tool') return sseEvent('tool', toolBody(event))
      return event.type === 'text-delta' || event.type === 'refusal-delta'
        ? sseEvent('delta', { text: event.text })
        : ''
    },
    end: (finish, usage) =>
      sseEvent('done', { ...start, ...closing(context, reply, finish, usage, clock.now()) }),
    fail: async error =>
      sseEvent('error', { ...errorBody(error, context.requestId), ...expense(await reply.usage) }),
  })
}

/** A reply in the native dialect: JSON, or server-sent events for a call that wants a stream. */
export const chatResponse = async (
  call: Call,
  reply: Reply,
  clock: Clock,
  abort: (reason: GatewayError) => void,
): Promise<RouteResponse> =>
  call.stream ? eventStream(frames(call, reply, clock), { clock, abort }) : json(call, reply, clock)
