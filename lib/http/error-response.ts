import type { GatewayError } from '../errors.ts'
import { anthropicErrorBody } from './dialects/anthropic-messages/error.ts'
import { openAiErrorBody, openAiStatus } from './dialects/openai-error.ts'
import type { RouteResponse } from './route-response.ts'

/** The native dialect's error body. */
export type ErrorBody = Readonly<{
  error: Readonly<{
    code: string
    message: string
    requestId: string
    retryable: boolean
    retryAfterSeconds?: number
    details?: readonly Readonly<{ path: string; message: string }>[]
  }>
}>

const DEFAULT_RETRY_AFTER_SECONDS = 1

/** Every 429 and 503 says when to retry; of the other errors, none that a repetition would meet again. */
const retryAfterOf = ({ retryAfterSeconds, retryable, status }: GatewayError): number | undefined => {
  if (status === 429 || status === 503) return retryAfterSeconds ?? DEFAULT_RETRY_AFTER_SECONDS
  return retryable ? retryAfterSeconds : undefined
}

export const errorBody = (error: GatewayError, requestId: string): ErrorBody => {
  const retryAfterSeconds = retryAfterOf(error)
  return {
    error: {
      code: error.code,
      message: error.message,
      requestId,
      retryable: error.retryable,
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
      ...(error.details && { details: error.details }),
    },
  }
}

/** A path, or the target of a request before it is normalized: absolute, or with repeated slashes. */
const OPENAI_PATH = /^(?:https?:\/\/[^/?#]*)?\/+v1(?:[/?#]|$)/i
const ANTHROPIC_PATH = /^(?:https?:\/\/[^/?#]*)?\/+v1\/+messages(?:[/?#]|$)/i

/** A path for clients of both APIs: those of Anthropic name the version of its API. */
const SHARED_PATH = /^(?:https?:\/\/[^/?#]*)?\/+v1\/+models(?:[/?#]|$)/i

const bodyOf = (error: GatewayError, requestId: string, path: string, namesVersion: boolean): object => {
  if (ANTHROPIC_PATH.test(path) || (namesVersion && SHARED_PATH.test(path)))
    return anthropicErrorBody(error, openAiStatus(error), requestId)
  return OPENAI_PATH.test(path) ? openAiErrorBody(error) : errorBody(error, requestId)
}

/** When to retry, also in milliseconds where clients of OpenAI and Anthropic look for these first. */
const retryHeaders = (seconds: number | undefined, isV1: boolean): Readonly<Record<string, string>> =>
  seconds === undefined
    ? {}
    : { 'retry-after': String(seconds), ...(isV1 && { 'retry-after-ms': String(seconds * 1_000) }) }

/**
 * An error as a response of the API that a path belongs to: Anthropic's form under `/v1/messages`, and under
 * `/v1/models` for its clients; OpenAI's under the rest of `/v1`, ours everywhere else.
 *
 * @param path a request's path or target, or a route's pattern
 * @param namesVersion whether the request has the header `anthropic-version`
 */
export const errorResponse = (
  error: GatewayError,
  requestId: string,
  path: string,
  namesVersion = false,
): RouteResponse => {
  const isV1 = OPENAI_PATH.test(path)
  return {
    status: isV1 ? openAiStatus(error) : error.status,
    json: bodyOf(error, requestId, path, namesVersion),
    headers: {
      ...(isV1 && { 'request-id': requestId }),
      ...retryHeaders(retryAfterOf(error), isV1),
      ...(!error.retryable && (isV1 || error.code === 'QUOTA_EXCEEDED') && { 'x-should-retry': 'false' }),
    },
  }
}
