import { GatewayError } from '../../../errors.ts'
import type { Call, Provider, Reply, ReplyHead, Target } from '../../types.ts'
import type { ProviderDeps } from '../definition.ts'
import type { UnsupportedParameter } from './parameter-errors.ts'
import { rateHeadroomOf } from './rate-headers.ts'
import { replyFrom, type Translators } from './reply-from.ts'
import { type Unsupported, UnsupportedParameters } from './unsupported-parameters.ts'
import type { UpstreamAddress, UpstreamResponse } from './upstream.ts'
import { connectionError, UpstreamHttpError, upstreamError } from './upstream-error.ts'

/** One vendor's protocol: its endpoint, and pure translations of requests and replies. */
export type Protocol = Readonly<{
  address: UpstreamAddress | Promise<UpstreamAddress>
  /** Translates a call to the vendor's request, without parameters that the model is known to refuse; sent as JSON. */
  request: (call: Call, target: Target, unsupported: Unsupported) => object
  /** Warnings about parts of the call that the request does not honour, one sentence each. */
  warnings: (call: Call, target: Target, unsupported: Unsupported) => readonly string[]
  /** The response header with the vendor's request id. */
  requestIdHeader: string
  /** Created for each answer: a stream's reader may keep state of earlier events. */
  translators: () => Translators
}>

/** How often a call is repeated without parameters that the model has just refused. */
const MAX_ADAPTATIONS = 3

const unsupportedIn = (thrown: unknown): readonly UnsupportedParameter[] =>
  thrown instanceof GatewayError && thrown.cause instanceof UpstreamHttpError
    ? thrown.cause.unsupportedParameters
    : []

/**
 * A provider over HTTP. The only place where providers do I/O. When a model refuses a parameter, that is remembered,
 * and the call is repeated without it as part of the same attempt, so that it does not count as a failure.
 */
export const httpProvider = (id: string, protocol: Protocol, deps: ProviderDeps): Provider => {
  const { post, clock, newId, onRateHeadroom } = deps
  const learned = new UnsupportedParameters(clock)

  const send = async (call: Call, json: string): Promise<UpstreamResponse> => {
    try {
      return await post(await protocol.address, json, call.signal)
    } catch (thrown) {
      throw connectionError(id, call.signal, thrown)
    }
  }

  const errorOf = async (response: UpstreamResponse): Promise<GatewayError> =>
    upstreamError({
      provider: id,
      status: response.status,
      body: await response.errorBody(),
      headers: response,
      nowMs: clock.now(),
      upstreamRequestId: response.get(protocol.requestIdHeader),
    })

  const reportRateHeadroom = (response: UpstreamResponse, target: Target): void => {
    const headroom = rateHeadroomOf(response, clock.now())
    if (headroom) onRateHeadroom(target, headroom)
  }

  const askOnce = async (call: Call, target: Target, json: string, head: ReplyHead): Promise<Reply> => {
    const response = await send(call, json)
    if (call.background) reportRateHeadroom(response, target)
    if (!response.ok) throw await errorOf(response)
    return replyFrom(response, call, head, protocol.translators())
  }

  const headOf = (call: Call, target: Target, unsupported: Unsupported): ReplyHead => {
    const warnings = protocol.warnings(call, target, unsupported)
    return { id: newId(), target, cache: 'miss', ...(warnings.length > 0 && { warnings }) }
  }

  return {
    id,
    async ask(call, target) {
      for (let adaptations = 0; ; adaptations += 1) {
        const unsupported = learned.of(target.model)
        const json = JSON.stringify(protocol.request(call, target, unsupported))
        try {
          return await askOnce(call, target, json, headOf(call, target, unsupported))
        } catch (thrown) {
          const parameters = unsupportedIn(thrown)
          if (parameters.length === 0 || adaptations === MAX_ADAPTATIONS || call.signal.aborted) throw thrown
          learned.add(target.model, parameters)
          const adapted = JSON.stringify(protocol.request(call, target, learned.of(target.model)))
          if (adapted === json) throw thrown
        }
      }
    },
  }
}
