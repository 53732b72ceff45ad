import type { Endpoint } from '../../passthrough.ts'
import type { Provider } from '../../types.ts'
import type { ProviderDeps } from '../definition.ts'
import { endpointUrl } from './base-url.ts'
import { chatRequest, chatWarnings, omittedParameters } from './chat-request.ts'
import { httpProvider, type Protocol } from './http-provider.ts'
import { chunkReader, completionPart } from './openai-reply.ts'
import type { OpenAiVariant } from './openai-variant.ts'
import { type PassthroughProtocol, passthrough } from './passthrough.ts'
import { isRawFor } from './raw-request.ts'
import { responsesOrChat } from './responses-or-chat.ts'
import { RESPONSES_PATH, responsesProtocol } from './responses-protocol.ts'
import { shortToolNames } from './short-tool-names.ts'
import { toolsWithoutReasoning } from './tools-without-reasoning.ts'
import type { UpstreamAddress } from './upstream.ts'

export type OpenAiCompatibleOptions = ProviderDeps & Readonly<{ variant: OpenAiVariant }>

const PATH = '/chat/completions'
const USUAL_VENDOR_PATH = '/v1'

/**
 * The address and headers of an endpoint, the latter as the official client makes them. All calls share them:
 * creating them for each one would take a fifth of a request's whole CPU time.
 */
const addressOf = async (
  { apiKey, baseUrl, variant }: OpenAiCompatibleOptions,
  path: string,
): Promise<UpstreamAddress> => {
  // A gateway without such a provider starts without its 236 modules.
  const { OpenAI } = await import('openai')
  const client = new OpenAI({ apiKey, baseURL: baseUrl, organization: null, project: null, logLevel: 'off' })
  const { req } = await client.buildRequest({ method: 'post', path, body: {} })
  const address = {
    url: endpointUrl(baseUrl, path, variant.vendorPath ?? USUAL_VENDOR_PATH),
    headers: Object.fromEntries(new Headers(req.headers)),
  }
  const { url, headers } = variant.addressed?.(address, apiKey) ?? address
  return { url: url.href, headers }
}

const chatCompletions = (options: OpenAiCompatibleOptions): Protocol => {
  const { variant, redact } = options
  return {
    address: addressOf(options, PATH),
    request: (call, target, unsupported) => chatRequest(call, target, variant, unsupported),
    omitted: (call, target, unsupported) => omittedParameters(call, target, variant, unsupported),
    warnings: (call, target, unsupported, omitted) =>
      chatWarnings(call, target, variant, unsupported, omitted),
    requestIdHeader: 'x-request-id',
    translators: (call, replyId) => {
      const isRaw = isRawFor(call, 'openai-chat')
      let readChunk: ReturnType<typeof chunkReader> | undefined
      // An upstream may answer in the other way than it was asked: then the answer is translated.
      return {
        whole: body => completionPart(body, { variant, replyId, redact, passesOn: isRaw && !call.stream }),
        event: event => {
          readChunk ??= chunkReader({ variant, replyId, redact, passesOn: isRaw && call.stream })
          return readChunk(event)
        },
      }
    },
  }
}

const endpointsOf = (options: OpenAiCompatibleOptions): PassthroughProtocol => {
  const { provider, alwaysSendsUsage, imageOptions, reportedCostUsd } = options.variant
  const addresses = new Map<Endpoint, Promise<UpstreamAddress>>()
  return {
    provider,
    address: endpoint => {
      const known = addresses.get(endpoint) ?? addressOf(options, `/${endpoint}`)
      addresses.set(endpoint, known)
      return known
    },
    asksForUsage: !alwaysSendsUsage,
    ...(imageOptions && { imageOptions }),
    ...(reportedCostUsd && { reportedCostUsd }),
  }
}

/** Only calls with tools need a look at the names of these. */
const withShortNames = (provider: Provider): Provider => {
  const short = shortToolNames(provider)
  return {
    ...provider,
    ask: (call, ...rest) => (call.parameters?.tools ? short : provider).ask(call, ...rest),
  }
}

/** Any server that implements `POST {baseUrl}/chat/completions`, and maybe `/responses` and OpenAI's other endpoints. */
export const openAiCompatible = (options: OpenAiCompatibleOptions): Provider => {
  const { provider, hasResponses } = options.variant
  const chat = httpProvider(provider, chatCompletions(options), options)
  const pass = passthrough(endpointsOf(options), options)
  if (!hasResponses) return { ...withShortNames(toolsWithoutReasoning(chat, options.clock)), pass }
  const responses = responsesProtocol(provider, addressOf(options, RESPONSES_PATH), options.redact)
  const either = responsesOrChat(httpProvider(provider, responses, options), chat, options.clock)
  return { ...withShortNames(either), pass }
}
