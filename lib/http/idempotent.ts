import { type Caller, ownerOf } from '../caller.ts'
import { GatewayError, toGatewayError } from '../errors.ts'
import type { Claim, Found, Idempotency, RequestKey, StoredResult } from '../idempotency/types.ts'
import type { RequestContext } from '../request-context.ts'
import { gateBody, passBodyGate } from './body-gate.ts'
import { errorResponse } from './error-response.ts'
import { bodyOf, contextHeaders, type RouteResponse, withTextBody } from './route-response.ts'

export type IdempotentRequest = Readonly<{
  request: Request
  /** The value of its `Idempotency-Key`. */
  key: string
  /** The request's context, with its caller. */
  context: RequestContext
  /** Whether the body is read when it runs; else all its repetitions are the same. */
  hasBody: boolean
  run: () => Promise<RouteResponse>
}>

const LONGEST_KEY = 255
const CONTROL = /\p{Cc}/u
/** Keys that the SDKs of OpenAI's family make for their own retries. */
const MADE_BY_SDK = /^stainless-[a-z]+-retry-/

const invalidKey = (message: string): GatewayError =>
  new GatewayError('INVALID_INPUT', `Idempotency-Key: ${message}`, {
    details: [{ path: 'Idempotency-Key', message }],
  })

const assertKey = (key: string): void => {
  if (key === '') throw invalidKey('must not be empty')
  if (key.length > LONGEST_KEY) throw invalidKey(`must have at most ${LONGEST_KEY} characters`)
  if (CONTROL.test(key)) throw invalidKey('must hold no control characters')
}

const NO_BODY = 'none'

/** Anonymous callers share addresses, and one must never get the answer of another. */
const ownerOrThrow = (caller: Caller): string => {
  const owner = caller.kind === 'anonymous' ? undefined : ownerOf(caller)
  if (owner === undefined)
    throw invalidKey('needs an API key or a session; callers without one share their addresses')
  return owner
}

const foundError = (state: Exclude<Found['state'], 'done'>): GatewayError => {
  switch (state) {
    case 'other-body':
      return new GatewayError('IDEMPOTENCY_MISMATCH')
    case 'running':
      return new GatewayError('CONFLICT', 'A request with this Idempotency-Key is still running.', {
        retryAfterSeconds: 1,
      })
    case 'without-result':
      return new GatewayError(
        'CONFLICT',
        'The request with this Idempotency-Key is done, but its result is too large to be repeated. Use a new key to run it again.',
        { retryable: false },
      )
  }
}

/** The cost was that of the first request. */
const NOT_REPEATED: ReadonlySet<string> = new Set(['x-gateway-cost-usd'])
const isText = (type: string): boolean => /^application\/json\b/.test(type)

const repeatedOf = ({ status, headers, body }: StoredResult): RouteResponse => {
  const { 'content-type': type = '', ...others } = headers
  const replayed = { ...others, 'idempotent-replayed': 'true' }
  if (body.length === 0) return { status, headers: replayed }
  if (isText(type))
    return { status, headers: replayed, text: { type, body: Buffer.from(body).toString('utf8') } }
  return {
    status,
    headers: { ...replayed, 'content-type': type },
    stream: new Blob([Buffer.from(body)]).stream(),
  }
}

/** Refusals that a repetition may not meet, or that say nothing of the request itself. */
const NOT_STORED: ReadonlySet<number> = new Set([401, 402, 403, 408, 409, 413, 415, 425, 429, 499])

const isStored = (status: number): boolean => status < 500 && !NOT_STORED.has(status)

/** Headers of the answer that its request's journal knows; those about the request itself are not repeated. */
const OF_ANSWER: ReadonlySet<string> = new Set(['x-gateway-model', 'x-gateway-provider', 'x-gateway-cache'])

const answerHeaders = (context: RequestContext): Record<string, string> =>
  Object.fromEntries(
    Object.entries(contextHeaders(context, context.startedAt)).filter(([name]) => OF_ANSWER.has(name)),
  )

const headersOf = (response: RouteResponse, context: RequestContext): Record<string, string> => {
  const headers = {
    'content-type': bodyOf(response).type,
    ...answerHeaders(context),
    ...response.headers,
  }
  return Object.fromEntries(
    Object.entries(headers).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !NOT_REPEATED.has(entry[0]),
    ),
  )
}

/** What a response is stored with. */
type Storing = Readonly<{ claim: Claim; context: RequestContext; mostBytes: number }>

const storedWhole = async (
  response: RouteResponse,
  { claim, context, mostBytes }: Storing,
): Promise<void> => {
  const status = response.status ?? 200
  const body = Buffer.from(bodyOf(response).text ?? '')
  if (!isStored(status)) await claim.release()
  else if (body.length > mostBytes) await claim.completeWithoutResult()
  else await claim.complete({ status, headers: headersOf(response, context), body })
}

/** Stores a stream's bytes before the last ones are sent. An incomplete stream frees its key. */
const storedStream = (response: RouteResponse, { claim, context, mostBytes }: Storing): RouteResponse => {
  let pieces: Uint8Array[] = []
  let bytes = 0
  const bodyEnded = response.observe?.({
    onPiece: piece => {
      bytes += piece.length
      if (bytes > mostBytes) pieces = []
      else pieces.push(piece)
    },
    onComplete: () =>
      bytes > mostBytes
        ? claim.completeWithoutResult()
        : claim.complete({
            status: response.status ?? 200,
            headers: headersOf(response, context),
            body: Buffer.concat(pieces),
          }),
  })
  // A resumable answer ends before its reader has read the end.
  const ended = Promise.all([response.ended, bodyEnded]).then(() => claim.release())
  return { ...response, ended }
}

const stored = async (response: RouteResponse, storing: Storing): Promise<RouteResponse> => {
  if (response.stream) return storedStream(response, storing)
  const whole = withTextBody(response)
  await storedWhole(whole, storing)
  return whole
}

/**
 * Runs a request with an `Idempotency-Key` once: a repetition gets the stored result, another body under the same key
 * IDEMPOTENCY_MISMATCH, a repetition while the first one runs CONFLICT.
 *
 * Stored are complete answers and refusals of the request itself; failures of the gateway and of providers free the
 * key, and so does a client that leaves before its answer is complete, unless it can be resumed. Source: draft-ietf-httpapi-idempotency-key-header.
 */
export const idempotently = async (
  { request, key, context, hasBody, run }: IdempotentRequest,
  idempotency: Idempotency,
): Promise<RouteResponse> => {
  assertKey(key)
  const { caller } = context
  const { mostBytes } = idempotency
  // A placeholder key makes a caller anonymous whose SDK may send a key of its own accord.
  if (caller.kind === 'anonymous' && MADE_BY_SDK.test(key)) return run()
  const requestKey: RequestKey = {
    owner: ownerOrThrow(caller),
    method: request.method,
    path: new URL(request.url).pathname,
    key,
  }
  let claim: Claim | undefined
  let repeated: RouteResponse | undefined
  gateBody(request, async fingerprint => {
    const found = await idempotency.claim(requestKey, fingerprint)
    if (found.state === 'claimed') {
      claim = found.claim
      return
    }
    // A repetition counts against the limits too.
    context.reservation?.spend()
    if (found.state !== 'done') throw foundError(found.state)
    repeated = repeatedOf(found.result)
    throw new GatewayError('CONFLICT')
  })
  try {
    if (!hasBody) await passBodyGate(request, () => NO_BODY)
    const response = await run()
    if (!claim) throw new Error('An idempotent route has answered without its body at the gate.')
    return await stored(response, { claim, context, mostBytes })
  } catch (thrown) {
    if (repeated) return repeated
    const error = errorResponse(toGatewayError(thrown), context.requestId, context.route)
    if (claim) await storedWhole(withTextBody(error), { claim, context, mostBytes })
    throw thrown
  }
}
