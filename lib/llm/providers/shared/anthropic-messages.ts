import type { ProviderParts } from '../definition.ts'
import { errorCode, messagesRequest, messagesWarnings } from './anthropic-chat.ts'
import { messageEvents, messageFragment } from './anthropic-reply.ts'
import type { Protocol } from './http-provider.ts'
import { type Lenient, parseObject } from './lenient.ts'

const API_VERSION = '2023-06-01'

type Refusal = Lenient<{ error: { type: string; message: string } }>

/**
 * Anthropic's Messages API, `POST {baseUrl}/v1/messages`.
 * Source: docs.anthropic.com, "Messages" and "Streaming Messages".
 */
export const anthropicMessages = (provider: string, { baseUrl, apiKey }: ProviderParts): Protocol => ({
  address: {
    url: `${baseUrl.replace(/\/+$/, '')}/v1/messages`,
    headers: {
      'content-type': 'application/json',
      'x-api-key': apiKey,
      'anthropic-version': API_VERSION,
    },
  },
  request: messagesRequest,
  warnings: messagesWarnings,
  refusal: body => {
    const error = parseObject<Refusal>(body)?.error
    return { code: errorCode(error?.type, error?.message) }
  },
  requestIdHeader: 'request-id',
  translators: () => ({
    whole: body => messageFragment(body, provider),
    event: messageEvents(provider),
  }),
})
