import type { Failure } from './wire.ts'

/**
 * The failure in an error response. A response that is not the gateway's own (a proxy's page) gets a general message.
 */
export async function failureOf(response: Response): Promise<Failure> {
  const body: unknown = await response.json().catch(() => undefined)
  const fields = failureFromEnvelope(body)
  const retryAfterSeconds = fields?.retryAfterSeconds ?? retryAfter(response.headers)
  const requestId = fields?.requestId ?? response.headers.get('x-request-id')
  return {
    code: 'UNEXPLAINED',
    message: `The answer could not be loaded: the server replied with status ${response.status}.`,
    retryable: response.status === 429 || response.status >= 500,
    ...fields,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    ...(requestId && { requestId }),
    status: response.status,
  }
}

/** The failure in an error envelope, from a reply's body or from an `error` event. */
export function failureFromEnvelope(body: unknown): Failure | undefined {
  const error = (body as { error?: Partial<Failure> } | undefined)?.error
  if (typeof error?.message !== 'string' || typeof error.code !== 'string') return undefined
  const { code, message, requestId, retryable = false, retryAfterSeconds, details } = error
  return {
    code,
    message,
    retryable,
    ...(typeof requestId === 'string' && { requestId }),
    ...(typeof retryAfterSeconds === 'number' && { retryAfterSeconds }),
    ...(Array.isArray(details) && { details }),
  }
}

export function unreachable(online: boolean): Failure {
  const message = online
    ? 'Parley could not be reached. Check your connection, then try again.'
    : 'You are offline. Try again once the connection is back.'
  return { code: 'UNREACHABLE', message, retryable: true }
}

export function cutShort(requestId: string | null | undefined): Failure {
  return {
    code: 'STREAM_CUT',
    message: 'The connection was lost before the answer was complete. What had arrived is kept.',
    retryable: true,
    ...(requestId && { requestId }),
  }
}

/** An answer that ended with the page that had asked for it. */
export function interrupted(): Failure {
  return {
    code: 'INTERRUPTED',
    message: 'This answer was interrupted when the page closed.',
    retryable: true,
  }
}

function retryAfter(headers: Headers): number | undefined {
  const value = headers.get('retry-after')
  if (value === null) return undefined
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000
  return Number.isNaN(seconds) ? undefined : Math.max(0, Math.ceil(seconds))
}
