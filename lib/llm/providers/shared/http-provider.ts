import type { GatewayError } from '../../../errors.ts'
import type { Call, Provider, ReplyHead, Target } from '../../types.ts'
import type { ProviderParts } from '../definition.ts'
import { allowanceOf } from './rate-headers.ts'
import type { RefusalBody } from './refusal.ts'
import { replyFrom, type Translators } from './reply-from.ts'
import { retryAfterSeconds } from './retry-after.ts'
import type { UpstreamAddress, UpstreamResponse } from './upstream.ts'
import { connectionError, upstreamError } from './upstream-error.ts'

/** One vendor's way of speaking: where, and pure translations of what is said. */
export type Protocol = Readonly<{
  address: UpstreamAddress | Promise<UpstreamAddress>
  /** Our call in the vendor's words; sent as JSON. */
  request: (call: Call, target: Target) => object
  /** What of the call that request does not honour, one sentence each. */
  warnings: (call: Call, target: Target) => readonly string[]
  /** What a refusal's body says: the vendor's own word for what was wrong, and when to ask again. */
  refusal: (body: string) => RefusalBody
  /** The response header under which the vendor's support finds a request. */
  requestIdHeader: string
  /** For one answer: a stream's reader may keep what earlier events said. */
  translators: () => Translators
}>

/** A provider that is asked over HTTP. The only place where providers do I/O. */
export const httpProvider = (id: string, protocol: Protocol, parts: ProviderParts): Provider => {
  const { post, clock, newId, onAllowance } = parts

  const send = async (call: Call, target: Target): Promise<UpstreamResponse> => {
    const json = JSON.stringify(protocol.request(call, target))
    try {
      return await post(await protocol.address, json, call.signal)
    } catch (thrown) {
      throw connectionError(id, call.signal, thrown)
    }
  }

  const refusalOf = async (response: UpstreamResponse): Promise<GatewayError> => {
    const told = protocol.refusal(await response.refusalText())
    return upstreamError({
      provider: id,
      status: response.status,
      code: told.code,
      retryAfterSeconds: retryAfterSeconds(response, clock.now()) ?? told.retryAfterSeconds,
      upstreamRequestId: response.get(protocol.requestIdHeader),
    })
  }

  const tellAllowance = (response: UpstreamResponse, target: Target): void => {
    const allowance = onAllowance && allowanceOf(response, clock.now())
    if (allowance) onAllowance(target, allowance)
  }

  return {
    id,
    async ask(call, target) {
      const warnings = protocol.warnings(call, target)
      const head: ReplyHead = {
        id: newId(),
        target,
        cache: 'miss',
        ...(warnings.length > 0 && { warnings }),
      }
      const response = await send(call, target)
      if (call.background) tellAllowance(response, target)
      if (!response.ok) throw await refusalOf(response)
      return replyFrom(response, call, head, protocol.translators())
    },
  }
}
