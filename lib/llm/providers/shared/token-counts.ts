import type { Call, Provider, Target } from '../../types.ts'
import type { ProviderDeps } from '../definition.ts'
import { fieldsOf, parseJson } from './lenient.ts'
import { MalformedResponse, malformedError } from './malformed.ts'
import { attemptHeaders, readText, type UpstreamAddress, type UpstreamResponse } from './upstream.ts'
import { connectionError, malformedResponse, upstreamError } from './upstream-error.ts'

type CountRequest = Readonly<{ json: string; headers: Readonly<Record<string, string>> }>

/** A vendor's endpoint that counts tokens. */
export type CountProtocol = Readonly<{
  address: UpstreamAddress
  /** The request's JSON text, and headers besides those of the address; undefined for calls that it cannot count. */
  request: (call: Call, target: Target) => Promise<CountRequest | undefined>
  requestIdHeader: string
}>

const MAX_COUNT_BYTES = 64 * 1024

/** Some servers of a vendor's protocol do not count; a 404 for the model names it. */
const isWithoutCount = (status: number, body: string, { model }: Target): boolean =>
  (status === 404 || status === 405 || status === 501) && !body.includes(model)

/** A count as the vendor wrote it; throws where it is none, or an error in spite of its status. */
const countOrThrow = (id: string, text: string, redact: ProviderDeps['redact']): string => {
  const value = fieldsOf(parseJson(text))
  if (!value) throw malformedResponse(id, 'invalid JSON')
  if (value.error) throw upstreamError({ provider: id, body: value, redact })
  return text
}

/** Counts over HTTP, as a provider's `countTokens`. */
export const tokenCounts =
  (
    id: string,
    protocol: CountProtocol,
    { post, clock, redact }: ProviderDeps,
  ): NonNullable<Provider['countTokens']> =>
  async (call, target, attempt) => {
    const request = await protocol.request(call, target)
    if (!request) return undefined
    const failed = (thrown: unknown): never => {
      throw thrown instanceof RangeError
        ? malformedError(id, new MalformedResponse(thrown.message))
        : connectionError(id, call.signal, thrown)
    }
    const { url, headers } = protocol.address
    const own = { ...headers, ...request.headers, ...attemptHeaders(call, attempt) }
    const address = { url, headers: own }
    const response: UpstreamResponse = await post(address, request.json, call.signal).catch(failed)
    if (response.ok)
      return countOrThrow(id, await readText(response.decoded(), MAX_COUNT_BYTES).catch(failed), redact)
    const body = await response.errorBody()
    if (isWithoutCount(response.status, body, target)) return undefined
    throw upstreamError({
      provider: id,
      status: response.status,
      body,
      headers: response,
      nowMs: clock.now(),
      redact,
      upstreamRequestId: response.get(protocol.requestIdHeader),
    })
  }
