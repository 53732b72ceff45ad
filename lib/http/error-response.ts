import type { GatewayError } from '../errors.ts'
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

/** Every 429 and 503 says when to retry. */
const retryAfterOf = ({ retryAfterSeconds, status }: GatewayError): number | undefined =>
  retryAfterSeconds ?? (status === 429 || status === 503 ? DEFAULT_RETRY_AFTER_SECONDS : undefined)

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

export const errorResponse = (error: GatewayError, requestId: string): RouteResponse => {
  const retryAfterSeconds = retryAfterOf(error)
  return {
    status: error.status,
    json: errorBody(error, requestId),
    headers: {
      ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
      ...(error.code === 'QUOTA_EXCEEDED' && { 'x-should-retry': 'false' }),
    },
  }
}
