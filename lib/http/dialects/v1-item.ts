import type { V1Request, V1Url } from '../../batch/types.ts'
import type { Clock } from '../../clock.ts'
import { GatewayError } from '../../errors.ts'
import type { Call, Reply } from '../../llm/types.ts'
import { inTurns } from '../../loop-turns.ts'
import { oneLineInSteps } from '../../raw-json.ts'
import { AttemptBudget, type Caller, type RequestContext } from '../../request-context.ts'
import type { References, ResponseContext } from '../../responses/types.ts'
import { messagesBodyOrThrow } from '../../validation/anthropic-messages.ts'
import { isJsonText } from '../../validation/json.ts'
import { chatBodyOrThrow } from '../../validation/openai-chat.ts'
import { endpointBody, type JsonEndpoint } from '../../validation/openai-endpoints.ts'
import { responsesBodyOrThrow } from '../../validation/openai-responses.ts'
import { parseOrThrow } from '../../validation/zod.ts'
import type { VendorObjects } from '../../vendor-objects/assert-own.ts'
import { type RawJson, rawJsonOf } from '../body.ts'
import type { RouteResponse } from '../route-response.ts'
import { messageResponse } from './anthropic-messages/reply.ts'
import { messagesCall } from './anthropic-messages/request.ts'
import { chatCompletionResponse } from './openai-chat/reply.ts'
import { chatCompletionCall } from './openai-chat/request.ts'
import { referencedItems } from './openai-responses/input.ts'
import { type KeptAnswer, responsesResponse } from './openai-responses/reply.ts'
import { assertOffered, type ResponsesRequest, responsesRequest } from './openai-responses/request.ts'
import { passthroughResponse } from './passthrough/reply.ts'

export type V1ItemDeps = Readonly<{
  clock: Clock
  /** The gateway's name of a model, from its own or the vendor's. */
  modelNamed: (name: string) => string
  vendorObjects: VendorObjects
  /** The answers that requests for Responses refer to. */
  responses: Readonly<{
    context: (caller: Caller, references: References) => Promise<ResponseContext>
    keepsAnswersOf: (caller: Caller) => boolean
    keep: (caller: Caller, answer: KeptAnswer) => Promise<boolean>
  }>
}>

type CallOptions = Readonly<{ model: string; deadlineAt: number; deps: V1ItemDeps }>
type ReplyOptions = Readonly<{ deps: V1ItemDeps; abort: (reason: GatewayError) => void }>

/** How a route of `/v1` makes a call of a request, and a response of the reply. */
type Route = Readonly<{
  call: (
    context: RequestContext,
    sent: RawJson,
    request: V1Request,
    options: CallOptions,
  ) => Call | Promise<Call>
  response: (call: Call, reply: Reply, options: ReplyOptions) => Promise<RouteResponse>
}>

const USUAL = { cache: 'default', strict: false } as const

const chat: Route = {
  call: async (context, sent, _, { model, deadlineAt }) =>
    chatCompletionCall(context, await chatBodyOrThrow(sent), sent, {
      ...USUAL,
      model,
      requestTimeoutMs: deadlineAt - context.startedAt,
    }),
  response: (call, reply, { deps: { clock }, abort }) =>
    chatCompletionResponse(call, reply, { clock, abort, wantsUsage: false }),
}

const messages: Route = {
  call: async (context, sent, { headers = {} }, { model, deadlineAt }) =>
    messagesCall(context, await messagesBodyOrThrow(sent.value), sent, {
      ...USUAL,
      model,
      headers: new Headers(headers),
      requestTimeoutMs: deadlineAt - context.startedAt,
    }),
  response: (call, reply, { deps: { clock }, abort }) => messageResponse(call, reply, { clock, abort }),
}

/** The requests of calls, by the body that all copies of a call share. */
const responsesRequests = new WeakMap<object, ResponsesRequest>()

const responses: Route = {
  call: async (context, sent, _, { model, deadlineAt, deps }) => {
    const body = await responsesBodyOrThrow(sent)
    assertOffered(body)
    const references = { previousId: body.previous_response_id, itemIds: referencedItems(body) }
    const request = await responsesRequest(context, body, sent, {
      ...USUAL,
      model,
      requestTimeoutMs: deadlineAt - context.startedAt,
      context: await deps.responses.context(context.caller, references),
    })
    if (request.call.raw) responsesRequests.set(request.call.raw, request)
    return request.call
  },
  response: (call, reply, { deps, abort }) => {
    const request = call.raw && responsesRequests.get(call.raw)
    if (!request) throw new Error('A call that was not made of a request for Responses.')
    return responsesResponse(request, reply, {
      clock: deps.clock,
      abort,
      keepsAnswers: deps.responses.keepsAnswersOf(call.caller),
      keep: answer => deps.responses.keep(call.caller, answer),
    })
  },
}

const passthrough = (endpoint: JsonEndpoint): Route => ({
  call: (context, { value, members }, _, { model, deadlineAt }) => {
    parseOrThrow(endpointBody[endpoint], value)
    return {
      ...context,
      messages: [],
      model,
      stream: false,
      passthrough: { endpoint, body: { kind: 'json', members }, namesModel: true },
      deadlineAt,
      cache: endpoint === 'embeddings' ? 'default' : 'no-store',
      fallback: true,
      plan: [],
      attempts: new AttemptBudget(),
    }
  },
  response: (_, reply, { deps: { clock }, abort }) => passthroughResponse(reply, { clock, abort }),
})

const ROUTES: Readonly<Record<V1Url, Route>> = {
  '/v1/chat/completions': chat,
  '/v1/completions': passthrough('completions'),
  '/v1/embeddings': passthrough('embeddings'),
  '/v1/moderations': passthrough('moderations'),
  '/v1/messages': messages,
  '/v1/responses': responses,
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
  deps: V1ItemDeps,
): Promise<Call> => {
  const sent = await rawJsonOf(request.json)
  if (isStreamed(sent.value)) throw noStream()
  await deps.vendorObjects.assertOwn(context.caller, sent.value)
  const model = deps.modelNamed(request.model)
  return ROUTES[request.url].call(context, sent, request, { model, deadlineAt, deps })
}

const textOf = async ({ text, stream, json }: RouteResponse): Promise<string> => {
  if (text) return text.body
  return stream ? new Response(stream).text() : JSON.stringify(json)
}

/** JSON text in one line; other text becomes a string. */
const asJsonLine = async (text: string): Promise<string> =>
  (await isJsonText(text)) ? (await inTurns(oneLineInSteps(text))).trim() : JSON.stringify(text)

/** The body that the route would answer, as JSON text in one line. Rejects with the error that ends the reply. */
export const v1ItemAnswer = async (
  call: Call,
  reply: Reply,
  { url }: V1Request,
  deps: V1ItemDeps,
): Promise<string> => {
  let failure: GatewayError | undefined
  const abort = (reason: GatewayError) => {
    failure = reason
  }
  try {
    return await asJsonLine(await textOf(await ROUTES[url].response(call, reply, { deps, abort })))
  } catch (error) {
    throw failure ?? error
  }
}
