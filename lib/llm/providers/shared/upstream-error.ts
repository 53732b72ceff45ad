import { ERRORS, type ErrorCode, GatewayError, type Refused } from '../../../errors.ts'
import { vendorName } from '../vendor-name.ts'
import { type ErrorFacts, errorFacts, LONGEST_CODE } from './error-body.ts'
import { type ErrorKind, kindOfError } from './error-wording.ts'
import {
  type HeaderLookup,
  resetSeconds,
  retryAfterMs,
  retryAfterSeconds,
  retryAfterSecondsIn,
} from './rate-headers.ts'
import { type UnsupportedParts, unsupportedIn } from './unsupported-parameters.ts'
import { refusalOf } from './upstream-refusal.ts'

/** An upstream's error, wherever it occurred: in an HTTP status, a successful response, or an event of a stream. */
export type UpstreamFailure = Readonly<{
  provider: string
  /** The HTTP status of the response; absent where the error was in a successful one. */
  status?: number
  /** The response's text, the JSON value in it, or the error object in that. */
  body?: unknown
  /** The response's headers, and the time to which a date in them is compared. */
  headers?: HeaderLookup
  nowMs?: number
  /** Masks secrets in its words; without it they are not passed on to clients. */
  redact?: (text: string) => string
  /** The vendor's request id. */
  upstreamRequestId?: string | null | undefined
}>

/** The part of an upstream's error for the log: never its body, which may echo prompts or keys. */
export class UpstreamHttpError extends Error {
  override readonly name = 'UpstreamRefusalError'
  /** What the model does not support of the request; absent where it refused it for another reason. */
  readonly unsupported: UnsupportedParts | undefined
  /** The server does not have this endpoint. */
  readonly isEndpointMissing: boolean

  constructor(
    { provider, upstreamRequestId, status: httpStatus }: UpstreamFailure,
    status: number | undefined,
    facts: ErrorFacts,
    unsupported: UnsupportedParts | undefined,
  ) {
    const named = (name: string, value: string | null | undefined) =>
      value && value.length <= LONGEST_CODE ? `, ${name} ${value}` : ''
    super(
      `${provider} answered ${status ?? 'an error'}${named('code', facts.code)}${named('request', upstreamRequestId)}`,
    )
    this.unsupported = unsupported
    this.isEndpointMissing = isEndpointMissing(httpStatus, facts)
  }
}

/** A 404 that is about something in the request: a model, a deployment, or what has some id. */
const ABOUT_THE_REQUEST = /\b(?:model|deployment)\b|\bwith id\b/i

const isEndpointMissing = (status: number | undefined, { words, params, message }: ErrorFacts): boolean =>
  (status === 404 || status === 405) &&
  !words.has('modelnotfound') &&
  params.length === 0 &&
  !ABOUT_THE_REQUEST.test(message)

const ofKind = (kind: ErrorKind | undefined, vendor: string): readonly [ErrorCode, string] | undefined => {
  switch (kind) {
    case 'too-long':
      return ['CONTEXT_LENGTH', ERRORS.CONTEXT_LENGTH.message]
    case 'blocked':
      return ['CONTENT_BLOCKED', `${vendor}'s content policy blocked this.`]
    case 'access':
      return ['PROVIDER_ERROR', `${vendor} rejected this gateway's API key. Ask your admin.`]
    case 'no-credit':
      return ['PROVIDER_ERROR', `This gateway's ${vendor} account is out of credit. Ask your admin.`]
    case 'too-large':
      return ['PAYLOAD_TOO_LARGE', `The request is too large for ${vendor}.`]
    case 'overloaded':
      return ['PROVIDER_ERROR', `${vendor} is overloaded.`]
    case 'busy':
      return ['PROVIDER_RATE_LIMIT', `${vendor} is getting too many requests. Please wait.`]
    case 'unknown-model':
      return ['NOT_FOUND', `${vendor} doesn't know this model.`]
    default:
      return undefined
  }
}

const KIND_OF_STATUS: Readonly<Record<number, ErrorKind>> = {
  401: 'access',
  402: 'no-credit',
  403: 'access',
  404: 'unknown-model',
  429: 'busy',
}

/** A status that sends the client elsewhere, or to what it has. No upstream is followed there. */
const isRedirect = (status: number | undefined): boolean =>
  status !== undefined && status >= 300 && status < 400

const ofStatus = (status: number | undefined, vendor: string): readonly [ErrorCode, string] => {
  const known = ofKind(KIND_OF_STATUS[status ?? 0], vendor)
  if (known) return known
  if (status === 400 || status === 422)
    return ['INVALID_INPUT', `${vendor} doesn't accept this request for this model.`]
  if (status === 408) return ['TIMEOUT', `${vendor} timed out.`]
  if (isRedirect(status))
    return ['PROVIDER_ERROR', `${vendor} answered with a redirect (${status}); check its base URL.`]
  const suffix = status === undefined ? '' : ` (status ${status})`
  return ['PROVIDER_ERROR', `${vendor} returned an error${suffix}.`]
}

/** The status that an error of some meaning has over HTTP, for one that names none. */
const USUAL_STATUS: Readonly<Partial<Record<ErrorKind, number>>> = {
  'too-long': 400,
  'too-large': 413,
  'unknown-model': 404,
}

/** Conflict, and Too Early: the only retryable statuses below 500 in this branch. */
const PASSING: ReadonlySet<number> = new Set([409, 425])

/** Not Implemented, and HTTP Version Not Supported: permanent. */
const NEVER_PASSING: ReadonlySet<number> = new Set([501, 505])

const isFinalFailure = (kind: ErrorKind | undefined, code: ErrorCode, status = 500): boolean => {
  if (kind === 'access' || kind === 'no-credit') return true
  if (code !== 'PROVIDER_ERROR') return false
  return kind !== 'overloaded' && ((status < 500 && !PASSING.has(status)) || NEVER_PASSING.has(status))
}

const refusedBy = (kind: ErrorKind | undefined, code: ErrorCode, status = 500): Refused | undefined => {
  if (kind === 'access' || kind === 'no-credit') return 'access'
  return code === 'PROVIDER_ERROR' && kind !== 'overloaded' && status < 500 ? 'request' : undefined
}

/** Failures after which an upstream may say that the call is not to be made again. */
const REPEATABLE: ReadonlySet<ErrorCode> = new Set(['PROVIDER_ERROR', 'TIMEOUT'])

/** Source: the header that OpenAI's and Anthropic's clients heed. */
const isUnwanted = (code: ErrorCode, headers: HeaderLookup | undefined): boolean =>
  REPEATABLE.has(code) && headers?.get('x-should-retry')?.trim().toLowerCase() === 'false'

/** About the gateway's own access and rate: not the client's business. Google refuses a key with 400. */
const OUR_KINDS: ReadonlySet<ErrorKind> = new Set(['access', 'no-credit', 'busy', 'overloaded'])

/**
 * An upstream's error as a GatewayError. The same error has the same meaning wherever it occurs: its codes and messages
 * take precedence over its status, and the status named in the error applies where the response has none.
 */
export const upstreamError = (failure: UpstreamFailure): GatewayError => {
  const { provider, body, headers, nowMs = 0 } = failure
  // The page that comes with a redirect is about the address alone.
  const facts = errorFacts(isRedirect(failure.status) ? undefined : body)
  const isHttpError = failure.status !== undefined && failure.status >= 300
  const named = isHttpError ? failure.status : facts.status
  const byWords = kindOfError(facts, named)
  const status = named ?? (byWords === 'invalid' ? 400 : undefined)
  const kind = byWords ?? KIND_OF_STATUS[status ?? 0]
  const [code, message] = ofKind(kind, vendorName(provider)) ?? ofStatus(status, vendorName(provider))
  const isPermanent = isFinalFailure(kind, code, status)
  const isFinal = isPermanent || isUnwanted(code, headers)
  const refused = refusedBy(kind, code, status)
  const waitSeconds =
    (headers && retryAfterSeconds(headers, nowMs)) ??
    retryAfterSecondsIn(facts) ??
    (headers && kind === 'busy' ? resetSeconds(headers, nowMs) : undefined)
  const exactMs = headers && retryAfterMs(headers)
  const isOurs = kind !== undefined && OUR_KINDS.has(kind)
  const refusedWith = status ?? (kind && USUAL_STATUS[kind])
  const refusal = isOurs ? undefined : refusalOf(failure, refusedWith, message)
  const unsupported = code === 'INVALID_INPUT' ? unsupportedIn(facts) : undefined
  return new GatewayError(code, message, {
    cause: new UpstreamHttpError(failure, status, facts, unsupported),
    ...(isFinal && { retryable: false }),
    ...(isFinal && !isPermanent && { unwell: true }),
    ...(refused && { refused }),
    ...(refusal && { refusal }),
    ...(!isFinal && waitSeconds !== undefined && { retryAfterSeconds: waitSeconds }),
    ...(!isFinal && exactMs !== undefined && { retryAfterMs: exactMs }),
  })
}

const CONNECT_TIMEOUT = 'UND_ERR_CONNECT_TIMEOUT'
/** Node's and OpenSSL's codes for an untrusted certificate: permanent. */
const UNTRUSTED = /CERT|UNABLE_TO_VERIFY|HOSTNAME_MISMATCH/

const LENGTH_MISMATCH = 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'
const SOCKET = 'UND_ERR_SOCKET'

const codeOf = (thrown: unknown): string | undefined => {
  for (let error = thrown, depth = 0; error instanceof Error && depth < 5; error = error.cause, depth += 1) {
    if ('code' in error && typeof error.code === 'string') return error.code
  }
  return undefined
}

/**
 * Whether reading a body of declared length failed because the upstream closed it cleanly before that. A reset
 * connection fails with the socket's own code.
 */
export const endedBeforeLength = (thrown: unknown): boolean =>
  [LENGTH_MISMATCH, SOCKET].includes(codeOf(thrown) ?? '')

/** A connection that could not be established or broke. An aborted one fails with the abort's reason. */
export const connectionError = (provider: string, signal: AbortSignal, thrown: unknown): GatewayError => {
  if (thrown instanceof GatewayError) return thrown
  if (signal.aborted && signal.reason instanceof GatewayError) return signal.reason
  const code = codeOf(thrown)
  if (code === CONNECT_TIMEOUT)
    return new GatewayError('TIMEOUT', `Couldn't connect to ${vendorName(provider)} in time.`, {
      cause: thrown,
      waitedFor: 'connection',
    })
  return new GatewayError('NETWORK', `The connection to ${vendorName(provider)} failed.`, {
    cause: thrown,
    ...(code && UNTRUSTED.test(code) && { retryable: false }),
  })
}

/** The error for a response that violates the protocol. */
export const malformedResponse = (provider: string, what: string, cause?: unknown): GatewayError =>
  new GatewayError(
    'PROVIDER_ERROR',
    `${vendorName(provider)} sent a response that couldn't be read (${what}).`,
    {
      cause,
    },
  )
