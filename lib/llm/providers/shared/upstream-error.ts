import { type ErrorCode, GatewayError } from '../../../errors.ts'

/** What an upstream said when it refused or failed. */
export type UpstreamRefusal = Readonly<{
  provider: string
  status: number
  /** The upstream's own error code or type, where it gives one. */
  code?: string | null | undefined
  /** Under which the vendor's support finds the request. */
  upstreamRequestId?: string | null | undefined
  retryAfterSeconds?: number | undefined
}>

/** What the log gets to see of an upstream's refusal: never its body, which may echo prompts or keys. */
export class UpstreamRefusalError extends Error {
  override readonly name = 'UpstreamRefusalError'

  constructor({ provider, status, code, upstreamRequestId }: UpstreamRefusal) {
    const named = (name: string, value: string | null | undefined) =>
      value ? `, ${name} ${value.slice(0, 100)}` : ''
    super(`${provider} answered ${status}${named('code', code)}${named('request', upstreamRequestId)}`)
  }
}

/** What is told by a word, whatever the status beside it: vendors disagree about that. */
const judgeWord = ({ provider, code }: UpstreamRefusal): readonly [ErrorCode, string] | undefined => {
  switch (code) {
    case 'context_length_exceeded':
    case 'tokens_limit_reached':
      return ['CONTEXT_LENGTH', 'The conversation is too long for this model; shorten it or choose another.']
    case 'content_filter':
    case 'content_policy_violation':
      return ['CONTENT_BLOCKED', `The provider ${provider} blocked this content.`]
    case 'insufficient_quota':
    case 'invalid_api_key':
      return ['PROVIDER_ERROR', `The provider ${provider} refused the gateway's own access.`]
    default:
      return undefined
  }
}

const judge = (refusal: UpstreamRefusal): readonly [ErrorCode, string] => {
  const { provider, status } = refusal
  const told = status < 500 ? judgeWord(refusal) : undefined
  if (told) return told
  if (status === 400 || status === 422)
    return ['INVALID_INPUT', `The provider ${provider} does not accept this request for this model.`]
  if (status === 404) return ['NOT_FOUND', `The provider ${provider} does not know this model.`]
  if (status === 413) return ['PAYLOAD_TOO_LARGE', `The request is too large for the provider ${provider}.`]
  if (status === 408) return ['TIMEOUT', `The provider ${provider} gave up waiting.`]
  if (status === 429)
    return ['PROVIDER_RATE_LIMIT', `The provider ${provider} is receiving too many requests; please wait.`]
  if (status === 401 || status === 402 || status === 403)
    return ['PROVIDER_ERROR', `The provider ${provider} refused the gateway's own access.`]
  return ['PROVIDER_ERROR', `The provider ${provider} failed to answer (status ${status}).`]
}

/** A lock, and a request that came too early: worth asking again, other than what else is below 500. */
const PASSING: ReadonlySet<number> = new Set([409, 425])

/** Not implemented, and HTTP version not supported: the same tomorrow. */
const NEVER_PASSING: ReadonlySet<number> = new Set([501, 505])

/** A refusal in our words. */
export const upstreamError = (refusal: UpstreamRefusal): GatewayError => {
  const [code, message] = judge(refusal)
  const { status, retryAfterSeconds } = refusal
  const isOurAccess = code === 'PROVIDER_ERROR' && status < 500 && status >= 400 && !PASSING.has(status)
  const isFinal = isOurAccess || NEVER_PASSING.has(status)
  return new GatewayError(code, message, {
    cause: new UpstreamRefusalError(refusal),
    ...(isFinal && { retryable: false }),
    ...(!isFinal && retryAfterSeconds !== undefined && { retryAfterSeconds }),
  })
}

const CONNECT_TIMEOUT = 'UND_ERR_CONNECT_TIMEOUT'
/** Node's and OpenSSL's words for a certificate that cannot be trusted: the same at the next try. */
const UNTRUSTED = /CERT|UNABLE_TO_VERIFY|HOSTNAME_MISMATCH/

const codeOf = (thrown: unknown): string | undefined => {
  for (let error = thrown, depth = 0; error instanceof Error && depth < 5; error = error.cause, depth += 1) {
    if ('code' in error && typeof error.code === 'string') return error.code
  }
  return undefined
}

/** A connection that could not be made or broke. An aborted one fails with what aborted it. */
export const connectionError = (provider: string, signal: AbortSignal, thrown: unknown): GatewayError => {
  if (thrown instanceof GatewayError) return thrown
  if (signal.aborted && signal.reason instanceof GatewayError) return signal.reason
  const code = codeOf(thrown)
  if (code === CONNECT_TIMEOUT)
    return new GatewayError(
      'TIMEOUT',
      `The answer took too long: the connection to the provider ${provider} did not come in time.`,
      { cause: thrown, waitedFor: 'connection' },
    )
  return new GatewayError('NETWORK', `The connection to the provider ${provider} failed.`, {
    cause: thrown,
    ...(code && UNTRUSTED.test(code) && { retryable: false }),
  })
}

/** Something a provider of this protocol must never send. */
export const nonsenseError = (provider: string, what: string, cause?: unknown): GatewayError =>
  new GatewayError(
    'PROVIDER_ERROR',
    `The provider ${provider} sent an answer that makes no sense (${what}).`,
    {
      cause,
    },
  )
