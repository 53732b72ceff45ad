import type { V1Request, V1Url } from '../../batch/types.ts'
import type { Caller } from '../../caller.ts'
import type { Clock } from '../../clock.ts'
import { GatewayError } from '../../errors.ts'
import { countInputs } from '../../llm/passthrough-size.ts'
import type { Call, Reply } from '../../llm/types.ts'
import { inTurns } from '../../loop-turns.ts'
import { oneLineInSteps } from '../../raw-json.ts'
import { AttemptBudget, type RequestContext } from '../../request-context.ts'
import type { References, ResponseContext } from '../../responses/types.ts'
import { messagesBodyOrThrow } from '../../validation/anthropic-messages.ts'
import { isJsonText } from '../../validation/json-syntax.ts'
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
import { assertOffered, responsesRequest } from './openai-responses/request.ts'
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
type ReplyOptions = Readonly<{ clock: Clock; abort: (reason: GatewayError) => void }>

type Respond = (reply: Reply, options: ReplyOptions) => Promise<RouteResponse>

/** A request as a call, and how its reply becomes the response of its route. */
type Prepared = Readonly<{ call: Call; respond: Respond }>

type Route = (
  context: RequestContext,
  sent: RawJson,
  request: V1Request,
  options: CallOptions,
) => Promise<Prepared>

const USUAL = { cache: 'default' } as const

const chat: Route = async (context, sent, _, { model, deadlineAt }) => {
  const call = await chatCompletionCall(context, await chatBodyOrThrow(sent), sent, {
    ...USUAL,
    model,
    requestTimeoutMs: deadlineAt - context.startedAt,
  })
  return {
    call,
    respond: (reply, { clock, abort }) =>
      chatCompletionResponse(call, reply, { clock, abort, wantsUsage: false }),
  }
}

const messages: Route = async (context, sent, { headers = {} }, { model, deadlineAt }) => {
  const call = await messagesCall(context, await messagesBodyOrThrow(sent.value), sent, {
    ...USUAL,
    model,
    headers: new Headers(headers),
    requestTimeoutMs: deadlineAt - context.startedAt,
  })
  return { call, respond: (reply, options) => messageResponse(call, reply, options) }
}

const responses: Route = async (context, sent, _, { model, deadlineAt, deps }) => {
  const { caller } = context
  const body = await responsesBodyOrThrow(sent)
  assertOffered(body)
  const references = { previousId: body.previous_response_id, itemIds: referencedItems(body) }
  const request = await responsesRequest(context, body, sent, {
    ...USUAL,
    model,
    requestTimeoutMs: deadlineAt - context.startedAt,
    context: await deps.responses.context(caller, references),
  })
  return {
    call: request.call,
    respond: (reply, options) =>
      responsesResponse(request, reply, {
        ...options,
        keepsAnswers: deps.responses.keepsAnswersOf(caller),
        keep: answer => deps.responses.keep(caller, answer),
      }),
  }
}

const passthrough =
  (endpoint: JsonEndpoint): Route =>
  async (context, { value, members }, _, { model, deadlineAt }) => {
    parseOrThrow(endpointBody[endpoint], value)
    const call: Call = {
      ...context,
      messages: [],
      model,
      stream: false,
      passthrough: {
        endpoint,
        body: { kind: 'json', members },
        namesModel: true,
        inputs: await inTurns(countInputs(endpoint, members)),
      },
      deadlineAt,
      cache: endpoint === 'embeddings' ? 'default' : 'no-store',
      fallback: true,
      plan: [],
      attempts: new AttemptBudget(),
    }
    return { call, respond: passthroughResponse }
  }

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

const textOf = async ({ text, stream, json }: RouteResponse): Promise<string> => {
  if (text) return text.body
  return stream ? new Response(stream).text() : JSON.stringify(json)
}

/** JSON text in one line; other text becomes a string. */
const asJsonLine = async (text: string): Promise<string> =>
  (await isJsonText(text)) ? (await inTurns(oneLineInSteps(text))).trim() : JSON.stringify(text)

/** The body that the route would answer, as JSON text in one line. Rejects with the error that ends the reply. */
const answerOf = async (reply: Reply, respond: Respond, clock: Clock): Promise<string> => {
  let failure: GatewayError | undefined
  const abort = (reason: GatewayError) => {
    failure = reason
  }
  try {
    return await asJsonLine(await textOf(await respond(reply, { clock, abort })))
  } catch (error) {
    throw failure ?? error
  }
}

export type V1Item = Readonly<{ call: Call; answer: (reply: Reply) => Promise<string> }>

/**
 * A request of a batch as the call that its route makes of it, and the answer that the route makes of the reply.
 * Rejects with the GatewayError that the route would answer
 */
export const v1Item = async (
  context: RequestContext,
  request: V1Request,
  deadlineAt: number,
  deps: V1ItemDeps,
): Promise<V1Item> => {
  const sent = await rawJsonOf(request.json)
  if (isStreamed(sent.value)) throw noStream()
  await deps.vendorObjects.assertOwn(context.caller, sent.value)
  const model = deps.modelNamed(request.model)
  const { call, respond } = await ROUTES[request.url](context, sent, request, { model, deadlineAt, deps })
  return { call, answer: reply => answerOf(reply, respond, deps.clock) }
}
