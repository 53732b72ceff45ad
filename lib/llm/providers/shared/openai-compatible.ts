import OpenAI from 'openai'
import type { Provider } from '../../types.ts'
import type { ProviderParts } from '../definition.ts'
import { httpProvider, type Protocol } from './http-provider.ts'
import { chatRequest, type OpenAiDialect } from './openai-chat.ts'
import { chunkFragment, completionFragment } from './openai-reply.ts'
import { refusalBody } from './refusal.ts'
import { temperatureWarnings } from './temperature.ts'
import type { UpstreamAddress } from './upstream.ts'

export type OpenAiCompatibleOptions = ProviderParts & Readonly<{ dialect: OpenAiDialect }>

/**
 * The address and headers of chat completions, as the official client makes them. All calls share them: made anew
 * for each one they would take a fifth of a request's whole CPU time.
 */
const addressOf = async ({ apiKey, baseUrl }: ProviderParts): Promise<UpstreamAddress> => {
  const client = new OpenAI({ apiKey, baseURL: baseUrl, organization: null, project: null, logLevel: 'off' })
  const { url, req } = await client.buildRequest({ method: 'post', path: '/chat/completions', body: {} })
  return { url, headers: Object.fromEntries(new Headers(req.headers)) }
}

const chatCompletions = (options: OpenAiCompatibleOptions): Protocol => {
  const { dialect } = options
  return {
    address: addressOf(options),
    request: (call, target) => chatRequest(call, target, dialect),
    warnings: (call, { model }) => temperatureWarnings(call, model, dialect),
    refusal: refusalBody,
    requestIdHeader: 'x-request-id',
    translators: () => ({
      whole: body => completionFragment(body, dialect),
      event: event => chunkFragment(event, dialect),
    }),
  }
}

/** Anything that speaks `POST {baseUrl}/chat/completions`. */
export const openAiCompatible = (options: OpenAiCompatibleOptions): Provider =>
  httpProvider(options.dialect.provider, chatCompletions(options), options)
