import type { ErrorCode, GatewayError } from '../../errors.ts'

/** OpenAI's error body. Source: platform.openai.com/docs/guides/error-codes. */
export type OpenAiErrorBody = Readonly<{
  error: Readonly<{ message: string; type: string; param: string | null; code: string }>
}>

/** OpenAI's own codes, which its clients know; all others are ours in lower case. */
const CODES: Readonly<Partial<Record<ErrorCode, string>>> = {
  CONTEXT_LENGTH: 'context_length_exceeded',
  UNAUTHENTICATED: 'invalid_api_key',
  RATE_LIMITED: 'rate_limit_exceeded',
  QUOTA_EXCEEDED: 'insufficient_quota',
  CONTENT_BLOCKED: 'content_filter',
}

export const openAiErrorBody = ({ message, status, code }: GatewayError): OpenAiErrorBody => ({
  error: {
    message,
    type: status < 500 ? 'invalid_request_error' : 'api_error',
    param: null,
    code: CODES[code] ?? code.toLowerCase(),
  },
})
