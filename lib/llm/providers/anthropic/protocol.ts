import type { ProviderDeps } from '../definition.ts'
import { endpointUrl } from '../shared/base-url.ts'
import type { Protocol } from '../shared/http-provider.ts'
import { messageEvents, messagePart } from './reply.ts'
import { answerTool, messagesRequest, messagesWarnings, omittedByMessages } from './request.ts'

const API_VERSION = '2023-06-01'

const PATH = '/messages'
const VERSION_PATH = '/v1'

/** A base URL may end before the version, as the official clients expect it, or after it. */
const urlOf = (baseUrl: string): string => {
  const url = endpointUrl(baseUrl, PATH, VERSION_PATH)
  const isVersioned = /\/v\d+\/messages$/.test(url.pathname)
  const isWhole = new URL(baseUrl).pathname.replace(/\/+$/, '').endsWith(PATH)
  if (!isVersioned && !isWhole) url.pathname = url.pathname.replace(/\/messages$/, `${VERSION_PATH}${PATH}`)
  return url.href
}

/**
 * Anthropic's Messages API, `POST {baseUrl}/v1/messages`.
 * Source: docs.anthropic.com, "Messages" and "Streaming Messages".
 */
export const anthropicMessages = (provider: string, { baseUrl, apiKey }: ProviderDeps): Protocol => ({
  address: {
    url: urlOf(baseUrl),
    headers: {
      'content-type': 'application/json',
      'x-api-key': apiKey,
      'anthropic-version': API_VERSION,
    },
  },
  request: messagesRequest,
  warnings: messagesWarnings,
  requestIdHeader: 'request-id',
  omitted: omittedByMessages,
  translators: ({ parameters = {} }) => {
    const options = { provider, answerTool: answerTool(parameters)?.name }
    return { whole: body => messagePart(body, options), event: messageEvents(options) }
  },
})
