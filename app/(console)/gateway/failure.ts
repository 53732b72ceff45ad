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
    message: `No answer: the server returned ${response.status}.`,
    retryable: response.status === 429 || response.status >= 500,
    ...fields,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    ...(requestId && { requestId }),
    status: response.status,
    ...(fields && { attempts: Number(response.headers.get('x-gateway-attempts') ?? 0) }),
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

/** The message without a wait in seconds, which a countdown beside it shows as it is now. */
export function withoutWait({ message, retryAfterSeconds }: Failure): string {
  if (retryAfterSeconds === undefined) return message
  return message.replace(
    /(?:[;,]? next try in|[.;,]? (?:Please )?try again in) \d+ ?s(?:econds?)?\b\.?/gi,
    '.',
  )
}

const SAME_FOR_EVERY_MODEL: ReadonlySet<string> = new Set([
  'UNREACHABLE',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'RATE_LIMITED',
  'QUOTA_EXCEEDED',
  'SHUTTING_DOWN',
  'STORE_UNAVAILABLE',
])

/** Whether the same question may succeed with another model. */
export const anotherModelMayAnswer = ({ code }: Failure): boolean => !SAME_FOR_EVERY_MODEL.has(code)

export function unreachable(online: boolean): Failure {
  const message = online
    ? 'Can’t reach Parley. Check your connection and try again.'
    : 'You’re offline. Try again once you’re back online.'
  return { code: 'UNREACHABLE', message, retryable: true }
}

export function cutShort(requestId: string | null | undefined): Failure {
  return {
    code: 'STREAM_CUT',
    message: 'The connection was lost before the answer was complete. The text so far is kept.',
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
