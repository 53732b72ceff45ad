import type { GatewayError } from '../../errors.ts'

/** OpenAI's error body, with our code in lower case. */
export type OpenAiErrorBody = Readonly<{
  error: Readonly<{ message: string; type: string; param: string | null; code: string }>
}>

export const openAiErrorBody = ({ message, status, code }: GatewayError): OpenAiErrorBody => ({
  error: {
    message,
    type: status < 500 ? 'invalid_request_error' : 'api_error',
    param: null,
    code: code.toLowerCase(),
  },
})
