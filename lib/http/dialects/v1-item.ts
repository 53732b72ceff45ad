import type { V1Request, V1Url } from '../../batch/types.ts'
import type { Clock } from '../../clock.ts'
import { GatewayError } from '../../errors.ts'
import { AttemptBudget } from '../../llm/attempt-budget.ts'
import type { Call, Reply } from '../../llm/types.ts'
import { membersOf } from '../../raw-json.ts'
import type { RequestContext } from '../../request-context.ts'
import { messagesBodyOrThrow } from '../../validation/anthropic-messages.ts'
import { parseOrThrow } from '../../validation/faults.ts'
import { jsonInTurnsOrThrow } from '../../validation/json.ts'
import { openAiChatBody } from '../../validation/openai-chat.ts'
import { endpointBody, type JsonEndpoint } from '../../validation/openai-endpoints.ts'
import type { RouteResponse } from '../route-response.ts'
import { messageResponse } from './anthropic-messages/reply.ts'
import { messagesCall } from './anthropic-messages/request.ts'
import { chatCompletionResponse } from './openai-chat/reply.ts'
import { chatCompletionCall } from './openai-chat/request.ts'
import { passthroughResponse } from './passthrough/reply.ts'

export type V1ItemDeps = Readonly<{
  clock: Clock
  /** The gateway's name of a model, from its own or the vendor's. */
  modelNamed: (name: string) => string
}>

type CallOptions = Readonly<{ model: string; deadlineAt: number }>
type ReplyOptions = Readonly<{ clock: Clock; abort: (reason: GatewayError) => void }>

/** How a route of `/v1` makes a call of a request, and a response of the reply. */
type Route = Readonly<{
  call: (
    context: RequestContext,
    body: unknown,
    request: V1Request,
    options: CallOptions,
  ) => Call | Promise<Call>
  response: (call: Call, reply: Reply, options: ReplyOptions) => Promise<RouteResponse>
}>

const USUAL = { cache: 'default', strict: false } as const

const chat: Route = {
  call: (context, body, { json }, { model, deadlineAt }) =>
    chatCompletionCall(context, parseOrThrow(openAiChatBody, body), json, {
      ...USUAL,
      model,
      requestTimeoutMs: deadlineAt - context.startedAt,
    }),
  response: (call, reply, options) => chatCompletionResponse(call, reply, { ...options, wantsUsage: false }),
}

const messages: Route = {
  call: async (context, body, { json, headers = {} }, { model, deadlineAt }) =>
    messagesCall(context, await messagesBodyOrThrow(body), json, {
      ...USUAL,
      model,
      headers: new Headers(headers),
      requestTimeoutMs: deadlineAt - context.startedAt,
    }),
  response: messageResponse,
}

const passthrough = (endpoint: JsonEndpoint): Route => ({
  call: (context, body, { json }, { model, deadlineAt }) => {
    parseOrThrow(endpointBody[endpoint], body)
    return {
      ...context,
      messages: [],
      model,
      stream: false,
      passthrough: { endpoint, body: { kind: 'json', members: membersOf(json) }, namesModel: true },
      deadlineAt,
      cache: endpoint === 'embeddings' ? 'default' : 'no-store',
      fallback: true,
      plan: [],
      attempts: new AttemptBudget(),
    }
  },
  response: (_, reply, options) => passthroughResponse(reply, options),
})

const ROUTES: Readonly<Record<V1Url, Route>> = {
  '/v1/chat/completions': chat,
  '/v1/completions': passthrough('completions'),
  '/v1/embeddings': passthrough('embeddings'),
  '/v1/moderations': passthrough('moderations'),
  '/v1/messages': messages,
}

const isStreamed = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && 'stream' in body && body.stream === true

const noStream = (): GatewayError => {
  const message = 'must not be true: a request of a batch has no client that could read a stream'
  return new GatewayError('INVALID_INPUT', `stream ${message}.`, { details: [{ path: 'stream', message }] })
}

/**
 * A request of a batch as the call that its route makes of it.
 * Rejects with the GatewayError that the route would answer
 */
export const v1ItemCall = async (
  context: RequestContext,
  request: V1Request,
  deadlineAt: number,
  { modelNamed }: V1ItemDeps,
): Promise<Call> => {
  const body = await jsonInTurnsOrThrow(request.json)
  if (isStreamed(body)) throw noStream()
  return ROUTES[request.url].call(context, body, request, { model: modelNamed(request.model), deadlineAt })
}

const textOf = async ({ text, stream, json }: RouteResponse): Promise<string> => {
  if (text) return text.body
  return stream ? new Response(stream).text() : JSON.stringify(json)
}

/** JSON text in one line: in valid JSON, line breaks stand between tokens only. Other text becomes a string. */
const inOneLine = (text: string): string => {
  try {
    JSON.parse(text)
    return text.replaceAll(/[\r\n]+/g, ' ').trim()
  } catch {
    return JSON.stringify(text)
  }
}

/** The body that the route would answer, as JSON text in one line. Rejects with the error that ends the reply. */
export const v1ItemAnswer = async (
  call: Call,
  reply: Reply,
  { url }: V1Request,
  { clock }: V1ItemDeps,
): Promise<string> => {
  let failure: GatewayError | undefined
  const abort = (reason: GatewayError) => {
    failure = reason
  }
  try {
    return inOneLine(await textOf(await ROUTES[url].response(call, reply, { clock, abort })))
  } catch (error) {
    throw failure ?? error
  }
}
