import type { ErrorCode, GatewayError, UpstreamRefusal } from '../../../errors.ts'

/** Anthropic's error body. Source: docs.anthropic.com, "Errors". */
export type AnthropicErrorBody = Readonly<{
  type: 'error'
  error: Readonly<{
    type: string
    message: string
    details?: Readonly<{ error_code: string; unsupported: readonly string[] }>
  }>
  request_id: string
}>

const TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
}

/** Types that an upstream of the same format may name itself. */
const KNOWN_TYPES: ReadonlySet<string> = new Set([
  ...Object.values(TYPES),
  'invalid_request_error',
  'billing_error',
  'timeout_error',
  'api_error',
])

const typeOf = (status: number): string =>
  TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error')

/** Anthropic's clients know an overlong conversation by these words. */
const TOO_LONG = 'prompt is too long'

/** Failures of which the gateway speaks itself, whatever the upstream said. */
const OWN_WORDS: ReadonlySet<ErrorCode> = new Set(['CONTENT_BLOCKED', 'QUOTA_EXCEEDED'])

const messageOf = (error: GatewayError, refusal: UpstreamRefusal | undefined): string => {
  const words = refusal?.message ?? error.message
  const isKnown = error.code !== 'CONTEXT_LENGTH' || words.toLowerCase().includes(TOO_LONG)
  return isKnown ? words : `${TOO_LONG}: ${words}`
}

/**
 * An error in Anthropic's form: an upstream's refusal in its own words, all others in ours.
 * @param status that of the response, or the one it would have had before the first byte
 */
export const anthropicErrorBody = (
  error: GatewayError,
  status: number,
  requestId: string,
): AnthropicErrorBody => {
  const refusal = OWN_WORDS.has(error.code) ? undefined : error.refusal
  const named = refusal?.type
  const type = named !== undefined && KNOWN_TYPES.has(named) ? named : typeOf(status)
  const { code, unsupported } = refusal ?? {}
  return {
    type: 'error',
    error: {
      type,
      message: messageOf(error, refusal),
      ...(code !== undefined && unsupported && { details: { error_code: code, unsupported } }),
    },
    request_id: requestId,
  }
}
