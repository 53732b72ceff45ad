import OpenAI from 'openai'
import type { Provider } from '../../types.ts'
import type { ProviderDeps } from '../definition.ts'
import { endpointUrl } from './base-url.ts'
import { chatRequest, chatWarnings, omittedParameters } from './chat-request.ts'
import { httpProvider, type Protocol } from './http-provider.ts'
import { chunkReader, completionPart } from './openai-reply.ts'
import type { OpenAiVariant } from './openai-variant.ts'
import { isRawFor } from './raw-request.ts'
import type { UpstreamAddress } from './upstream.ts'

export type OpenAiCompatibleOptions = ProviderDeps & Readonly<{ variant: OpenAiVariant }>

const PATH = '/chat/completions'
const USUAL_VENDOR_PATH = '/v1'

/**
 * The address and headers of chat completions, the latter as the official client makes them. All calls share them:
 * creating them for each one would take a fifth of a request's whole CPU time.
 */
const addressOf = async ({ apiKey, baseUrl, variant }: OpenAiCompatibleOptions): Promise<UpstreamAddress> => {
  const client = new OpenAI({ apiKey, baseURL: baseUrl, organization: null, project: null, logLevel: 'off' })
  const { req } = await client.buildRequest({ method: 'post', path: PATH, body: {} })
  const address = {
    url: endpointUrl(baseUrl, PATH, variant.vendorPath ?? USUAL_VENDOR_PATH),
    headers: Object.fromEntries(new Headers(req.headers)),
  }
  const { url, headers } = variant.addressed?.(address, apiKey) ?? address
  return { url: url.href, headers }
}

const chatCompletions = (options: OpenAiCompatibleOptions): Protocol => {
  const { variant } = options
  return {
    address: addressOf(options),
    request: (call, target, unsupported) => chatRequest(call, target, variant, unsupported),
    warnings: (call, target, unsupported) => chatWarnings(call, target, variant, unsupported),
    requestIdHeader: 'x-request-id',
    omitted: (call, target, unsupported) => omittedParameters(call, target, variant, unsupported),
    translators: (call, replyId) => {
      const isRaw = isRawFor(call, 'openai-chat')
      // An upstream may answer in the other way than it was asked: then the answer is translated.
      return {
        whole: body => completionPart(body, { variant, replyId, passesOn: isRaw && !call.stream }),
        event: chunkReader({ variant, replyId, passesOn: isRaw && call.stream }),
      }
    },
  }
}

/** Any server that implements `POST {baseUrl}/chat/completions`. */
export const openAiCompatible = (options: OpenAiCompatibleOptions): Provider =>
  httpProvider(options.variant.provider, chatCompletions(options), options)
