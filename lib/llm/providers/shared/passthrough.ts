import type { GatewayError } from '../../../errors.ts'
import type { Attempt } from '../../../request-context.ts'
import type { Endpoint, PassthroughRequest } from '../../passthrough.ts'
import type { Call, Reply, ReplyHead, Target } from '../../types.ts'
import type { ImageOptions, ProviderDeps } from '../definition.ts'
import type { OpenAiVariant } from './openai-variant.ts'
import { readPassed } from './passed-reply.ts'
import { encodedBody, targetRequest } from './passthrough-request.ts'
import { assertAllTaken } from './raw-request.ts'
import { attemptHeaders, type UpstreamAddress, type UpstreamResponse } from './upstream.ts'
import { connectionError, upstreamError } from './upstream-error.ts'

/** A vendor's endpoints beside chat, in OpenAI's format. */
export type PassthroughProtocol = Readonly<{
  provider: string
  address: (endpoint: Endpoint) => Promise<UpstreamAddress>
  /** Whether a stream's usage must be asked for. */
  asksForUsage: boolean
  /** What a model takes in a request for images that was made for another model. */
  imageOptions?: (model: string) => ImageOptions | undefined
  reportedCostUsd?: OpenAiVariant['reportedCostUsd']
}>

/** The answer's form is the upstream's choice: JSON, text, audio. */
const ACCEPT = { accept: '*/*' }

const USUAL_TYPE = 'application/octet-stream'
const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:\s*;\s*[\w-]+=(?:[\w.+/-]+|"[^"\\]*"))*$/

/** The media type of a response, unless it is none: an upstream that fails may put anything there. */
const mediaTypeOf = (response: UpstreamResponse, redact: ProviderDeps['redact']): string => {
  const type = redact(response.get('content-type') ?? '')
  return MEDIA_TYPE.test(type) ? type : USUAL_TYPE
}

/** A call's request; throws where it has none. */
export const passthroughOf = ({ passthrough }: Call): PassthroughRequest => {
  if (!passthrough) throw new Error('The call is not for an endpoint beside chat.')
  return passthrough
}

/** The error of an upstream's response. */
export const responseError = async (
  response: UpstreamResponse,
  provider: string,
  { clock, redact }: Pick<ProviderDeps, 'clock' | 'redact'>,
): Promise<GatewayError> =>
  upstreamError({
    provider,
    status: response.status,
    body: await response.errorBody(),
    headers: response,
    nowMs: clock.now(),
    redact,
    upstreamRequestId: response.get('x-request-id'),
  })

/** Passes calls for endpoints beside chat to a vendor of the same format, and its answers back, both unchanged. */
export const passthrough = (protocol: PassthroughProtocol, deps: ProviderDeps) => {
  const { provider, asksForUsage } = protocol

  const send = async (
    call: Call,
    request: PassthroughRequest,
    attempt: Attempt,
  ): Promise<UpstreamResponse> => {
    const { headers, content } = encodedBody(request.body)
    try {
      const address = await protocol.address(request.endpoint)
      const own = { ...address.headers, ...ACCEPT, ...headers, ...attemptHeaders(call, attempt) }
      return await deps.post({ url: address.url, headers: own }, content, call.signal)
    } catch (thrown) {
      if (typeof content !== 'string') content.destroy()
      throw connectionError(provider, call.signal, thrown)
    }
  }

  return async (call: Call, target: Target, attempt: Attempt): Promise<Reply> => {
    const imageOptions = protocol.imageOptions?.(target.model)
    const { request, omitted, addsUsage } = targetRequest(call, passthroughOf(call), target, {
      asksForUsage,
      imageOptions,
    })
    assertAllTaken(call, omitted)
    const response = await send(call, request, attempt)
    if (!response.ok) throw await responseError(response, provider, deps)
    const head: ReplyHead = {
      id: deps.newId(),
      target,
      cache: 'miss',
      mediaType: mediaTypeOf(response, deps.redact),
      ...(omitted.length > 0 && { omitted }),
    }
    const { reportedCostUsd } = protocol
    const { redact } = deps
    return readPassed({
      response,
      call,
      head,
      request,
      hidesUsage: addsUsage,
      redact,
      reportedCostUsd,
      attempt,
    })
  }
}
