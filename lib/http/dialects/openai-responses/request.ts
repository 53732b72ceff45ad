import type { GatewayError } from '../../../errors.ts'
import type { Call } from '../../../llm/types.ts'
import { AttemptBudget, type RequestContext } from '../../../request-context.ts'
import type { ResponseContext } from '../../../responses/types.ts'
import { gatewayToolsIn } from '../../../validation/gateway-tools.ts'
import type { OpenAiResponsesBody } from '../../../validation/openai-responses.ts'
import { invalidInput } from '../../../validation/zod.ts'
import type { RawJson } from '../../body.ts'
import type { HeaderOptions } from '../../request-headers.ts'
import { inputOf, referencedItems } from './input.ts'
import { conversationInTurns, conversationOf } from './messages.ts'
import { parametersOf, untranslatedIn } from './parameters.ts'

export type ResponsesOptions = HeaderOptions &
  Readonly<{
    /** The gateway's name of the model. */
    model: string
    requestTimeoutMs: number
    /** The stored answers that it refers to. */
    context: ResponseContext
  }>

/** A request's call, and what is stored with its answer. */
export type ResponsesRequest = Readonly<{
  call: Call
  /** The request's body, with tools and instructions as they were sent. */
  body: OpenAiResponsesBody
  /** JSON of its own items. */
  input: string
  context: ResponseContext
}>

/** Why a request makes sense to OpenAI alone. */
const untranslatable = (
  body: OpenAiResponsesBody,
  { missing }: ResponseContext,
): GatewayError | undefined => {
  if (body.prompt === undefined) return missing
  const message = 'names something that this model’s provider does not have'
  return invalidInput([{ path: 'prompt', message }])
}

/**
 * Refuses what this gateway offers with no model: an answer in the background would escape its limits and prices, and a
 * conversation at the provider belongs to no caller in particular.
 * Throws GatewayError INVALID_INPUT.
 */
export const assertOffered = ({ background, conversation }: OpenAiResponsesBody): void => {
  if (background)
    throw invalidInput([{ path: 'background', message: 'must be false here; stream the answer' }])
  if (conversation !== undefined)
    throw invalidInput([{ path: 'conversation', message: 'is not kept here; use previous_response_id' }])
}

const instructionsOf = ({ instructions }: OpenAiResponsesBody) =>
  typeof instructions === 'string'
    ? [{ role: 'system' as const, content: instructions }]
    : conversationOf(instructions ?? []).messages

/** A checked body with what a response repeats whole: also members that the gateway does not read. */
const withSentMembers = (body: OpenAiResponsesBody, value: unknown): OpenAiResponsesBody => {
  const { tools, instructions } = value as Pick<OpenAiResponsesBody, 'tools' | 'instructions'>
  return { ...body, ...(tools && { tools }), ...(instructions && { instructions }) }
}

/** The body of `POST /v1/responses` as a call. */
export const responsesRequest = async (
  requestContext: RequestContext,
  body: OpenAiResponsesBody,
  { text: json, members: written, value }: RawJson,
  { model, requestTimeoutMs, context, ...headerOptions }: ResponsesOptions,
): Promise<ResponsesRequest> => {
  const { items, own, members, resolved } = await inputOf(body, written, context)
  const { messages, omitted } = await conversationInTurns(items)
  const call: Call = {
    ...requestContext,
    messages: [...instructionsOf(body), ...messages],
    model,
    stream: body.stream ?? false,
    temperature: body.temperature,
    maxOutputTokens: body.max_output_tokens,
    parameters: parametersOf(body),
    ...gatewayToolsIn(body.tools),
    raw: {
      format: 'openai-responses',
      json,
      members,
      untranslated: [...untranslatedIn(body), ...omitted.map(type => `input.${type}`)],
      untranslatable: untranslatable(body, context),
      ...(referencedItems(body).length > 0 && { refersToItems: true }),
      ...(resolved && { resolved: { members: resolved, knownTo: context.knownTo } }),
    },
    ...headerOptions,
    deadlineAt: requestContext.startedAt + requestTimeoutMs,
    fallback: true,
    plan: [],
    attempts: new AttemptBudget(),
  }
  return { call, body: withSentMembers(body, value), input: own, context }
}
