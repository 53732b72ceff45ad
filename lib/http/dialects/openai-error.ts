import type { ErrorCode, GatewayError } from '../../errors.ts'

/** OpenAI's error body. Source: platform.openai.com/docs/guides/error-codes. */
export type OpenAiErrorBody = Readonly<{
  error: Readonly<{ message: string; type: string; param: string | null; code: string | null }>
}>

/** OpenAI's own codes, which its clients know; all others are ours in lower case. */
const CODES: Readonly<Partial<Record<ErrorCode, string>>> = {
  CONTEXT_LENGTH: 'context_length_exceeded',
  UNAUTHENTICATED: 'invalid_api_key',
  RATE_LIMITED: 'rate_limit_exceeded',
  QUOTA_EXCEEDED: 'insufficient_quota',
  CONTENT_BLOCKED: 'content_filter',
}

/** Failures that have another meaning than an upstream's refusal of the request, whatever it said. */
const OWN_MEANING: ReadonlySet<ErrorCode> = new Set(['CONTEXT_LENGTH', 'CONTENT_BLOCKED', 'QUOTA_EXCEEDED'])

const typeOf = (status: number): string => (status < 500 ? 'invalid_request_error' : 'api_error')

const refusalOf = ({ refusal, code }: GatewayError) => (OWN_MEANING.has(code) ? undefined : refusal)

/** The status under which OpenAI's clients know an error. */
export const openAiStatus = (error: GatewayError): number => {
  if (error.unknownModel) return 404
  if (error.code === 'CONTENT_BLOCKED') return 400
  return refusalOf(error)?.status ?? error.status
}

/** An error in OpenAI's form: an upstream's refusal in its own words, all others in ours. */
export const openAiErrorBody = (error: GatewayError): OpenAiErrorBody => {
  const status = openAiStatus(error)
  const refusal = refusalOf(error)
  if (refusal) {
    const { message, type = typeOf(status), param = null, code = null } = refusal
    return { error: { message, type, param, code } }
  }
  return {
    error: {
      message: error.message,
      type: typeOf(status),
      param: error.details?.[0]?.path ?? null,
      code: error.unknownModel ? 'model_not_found' : (CODES[error.code] ?? error.code.toLowerCase()),
    },
  }
}
