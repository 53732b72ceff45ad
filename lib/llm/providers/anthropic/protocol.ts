import type { Call } from '../../types.ts'
import type { ProviderDeps } from '../definition.ts'
import { endpointUrl } from '../shared/base-url.ts'
import type { Protocol } from '../shared/http-provider.ts'
import { isRawFor, rawRequestInTurns } from '../shared/raw-request.ts'
import type { CountProtocol } from '../shared/token-counts.ts'
import { answerTool } from './answer-form.ts'
import { messagesForClaude } from './messages.ts'
import { claudeModel } from './models.ts'
import { messagesWarnings, omittedByMessages } from './omitted.ts'
import { messageEvents, messagePart } from './reply.ts'
import { messagesRequest } from './request.ts'

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

const addressOf = ({ baseUrl, apiKey }: ProviderDeps) => ({
  url: urlOf(baseUrl),
  headers: {
    'content-type': 'application/json',
    'x-api-key': apiKey,
    'anthropic-version': API_VERSION,
  },
})

const REQUEST_ID = 'request-id'

/** Source: docs.anthropic.com, "Count tokens in a Message". */
export const anthropicCounts = (deps: ProviderDeps): CountProtocol => {
  const { url, headers } = addressOf(deps)
  const counting = new URL(url)
  counting.pathname = `${counting.pathname}/count_tokens`
  return {
    address: { url: counting.href, headers },
    requestIdHeader: REQUEST_ID,
    request: async (call, target) => {
      if (!isRawFor(call, 'anthropic-messages')) return undefined
      const changes = { model: target.model, stream: false, wantsUsage: false, omitted: () => false }
      const json = await rawRequestInTurns(call.raw, changes, messagesForClaude(call, target))
      return { json, headers: call.raw.headers ?? {} }
    },
  }
}

/** The headers of the client's own format, also where its body is written anew. */
const headersOf = ({ raw, formatHeaders }: Call): Readonly<Record<string, string>> | undefined =>
  [raw, formatHeaders].find(one => one?.format === 'anthropic-messages')?.headers

/**
 * Anthropic's Messages API, `POST {baseUrl}/v1/messages`.
 * Source: docs.anthropic.com, "Messages" and "Streaming Messages".
 */
export const anthropicMessages = (provider: string, deps: ProviderDeps): Protocol => ({
  address: addressOf(deps),
  request: messagesRequest,
  headers: headersOf,
  omitted: omittedByMessages,
  warnings: messagesWarnings,
  requestIdHeader: REQUEST_ID,
  translators: (call, _, { model }) => {
    const isRaw = isRawFor(call, 'anthropic-messages')
    const tool = isRaw ? undefined : answerTool(call.parameters ?? {}, claudeModel(model))
    const options = { provider, answerTool: tool?.name, redact: deps.redact }
    return {
      whole: body => messagePart(body, { ...options, passesOn: isRaw && !call.stream }),
      event: messageEvents({ ...options, passesOn: isRaw && call.stream }),
    }
  },
})
