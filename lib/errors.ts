/**
 * Every way a request can be refused or fail: HTTP status, whether the same request may succeed later, and
 * the default message for clients. Documented in README ("Errors").
 */
export const ERRORS = {
  INVALID_INPUT: { status: 400, retryable: false, message: 'The request is not valid.' },
  CONTEXT_LENGTH: {
    status: 400,
    retryable: false,
    message: 'The conversation is too long for this model. Shorten it or choose another model.',
  },
  UNAUTHENTICATED: { status: 401, retryable: false, message: 'A valid API key is required.' },
  FORBIDDEN: { status: 403, retryable: false, message: "You don't have permission to do this." },
  NOT_FOUND: { status: 404, retryable: false, message: 'Not found.' },
  METHOD_NOT_ALLOWED: { status: 405, retryable: false, message: 'Method not allowed for this URL.' },
  CONFLICT: { status: 409, retryable: true, message: 'This conflicts with another request.' },
  PAYLOAD_TOO_LARGE: { status: 413, retryable: false, message: 'The request body is too large.' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, retryable: false, message: 'Send the body as application/json.' },
  CONTENT_BLOCKED: { status: 422, retryable: false, message: 'The content was blocked by a content policy.' },
  IDEMPOTENCY_MISMATCH: {
    status: 422,
    retryable: false,
    message: 'This Idempotency-Key was used with another body.',
  },
  RATE_LIMITED: { status: 429, retryable: true, message: 'Too many requests. Please wait.' },
  QUOTA_EXCEEDED: { status: 429, retryable: false, message: 'The quota is used up.' },
  /** Only in logs, since the client has disconnected. nginx uses the same status. */
  CLIENT_GONE: { status: 499, retryable: false, message: 'The client closed the connection.' },
  INTERNAL_ERROR: {
    status: 500,
    retryable: true,
    message: 'Something went wrong on our side. Please try again.',
  },
  PROVIDER_ERROR: { status: 502, retryable: true, message: 'The model provider returned an error.' },
  NETWORK: { status: 502, retryable: true, message: "Couldn't reach the model provider." },
  TOOL_EXECUTION: { status: 502, retryable: true, message: 'A tool failed.' },
  PROVIDER_RATE_LIMIT: { status: 503, retryable: true, message: 'The model provider is busy. Please wait.' },
  MODEL_UNAVAILABLE: { status: 503, retryable: true, message: "This model isn't available right now." },
  STORE_UNAVAILABLE: {
    status: 503,
    retryable: true,
    message: "The gateway can't reach its database right now.",
  },
  SHUTTING_DOWN: { status: 503, retryable: true, message: 'The gateway is restarting. Please try again.' },
  TIMEOUT: { status: 504, retryable: true, message: 'The answer took too long.' },
} as const satisfies Record<string, { status: number; retryable: boolean; message: string }>

export type ErrorCode = keyof typeof ERRORS

/** What timed out, where the code is TIMEOUT. */
export type WaitedFor = 'connection' | 'first content' | 'more of the stream' | 'whole answer'

/** One fault in what a client sent: where (`messages[2].content`), and what to do about it. */
export type Issue = Readonly<{ path: string; message: string }>

/** An upstream's own words for its refusal of a request, without secrets. */
export type UpstreamRefusal = Readonly<{
  status: number
  message: string
  type?: string | undefined
  param?: string | undefined
  code?: string | undefined
  /** What its server does not have, where a client of the format goes on without. */
  unsupported?: readonly string[]
}>

/**
 * What an upstream refused, where that says nothing about its health: the gateway's key or quota, or this one request,
 * by a status of 4xx or a redirect.
 */
export type Refused = 'access' | 'request'

export type GatewayErrorOptions = Readonly<{
  /** Whole seconds, at least 1, until a retry makes sense. */
  retryAfterSeconds?: number
  /** `retryAfterSeconds` in milliseconds, where the wait is known more exactly. For the gateway's own retries. */
  retryAfterMs?: number
  /** Overrides the table, where this particular failure is known to be permanent or transient. */
  retryable?: boolean
  details?: readonly Issue[]
  /** Names the gateway's own time limit that expired. */
  waitedFor?: WaitedFor
  /** The requested model does not exist. */
  unknownModel?: true
  /** The upstream is to be left also where it is read to its end for clients that have gone. */
  cancelsUpstream?: true
  /** What the upstream refused, where it is neither unwell nor busy. */
  refused?: Refused
  /** The upstream failed, though it does not want the call to be made again. */
  unwell?: true
  /** For clients of the upstream's own format, who know its words. */
  refusal?: UpstreamRefusal
  /** The underlying error. For the log only, never for the client. */
  cause?: unknown
}>

/** Next compiles routes separately, each with its own copy of this class: the brand identifies all copies. */
const BRAND = Symbol.for('parley.GatewayError')

/** A failure with a code of the table. Its `message` is written for the client. */
export class GatewayError extends Error {
  readonly [BRAND] = true

  static override [Symbol.hasInstance](value: unknown): value is GatewayError {
    return typeof value === 'object' && value !== null && BRAND in value
  }

  override readonly name = 'GatewayError'
  readonly code: ErrorCode
  readonly retryAfterSeconds: number | undefined
  readonly retryAfterMs: number | undefined
  readonly retryable: boolean
  readonly details: readonly Issue[] | undefined
  readonly waitedFor: WaitedFor | undefined
  readonly unknownModel: boolean
  readonly cancelsUpstream: boolean
  readonly refused: Refused | undefined
  readonly unwell: boolean
  readonly refusal: UpstreamRefusal | undefined

  constructor(code: ErrorCode, message?: string, options: GatewayErrorOptions = {}) {
    super(message ?? ERRORS[code].message, { cause: options.cause })
    this.code = code
    this.retryAfterSeconds = options.retryAfterSeconds
    this.retryAfterMs =
      options.retryAfterMs ?? (options.retryAfterSeconds && options.retryAfterSeconds * 1000)
    this.retryable = options.retryable ?? ERRORS[code].retryable
    this.details = options.details
    this.waitedFor = options.waitedFor
    this.unknownModel = options.unknownModel ?? false
    this.cancelsUpstream = options.cancelsUpstream ?? false
    this.refused = options.refused
    this.unwell = options.unwell ?? false
    this.refusal = options.refusal
  }

  get status(): number {
    return ERRORS[this.code].status
  }
}

const DAY_SECONDS = 86_400

/** The refusal to store more than a caller may: only deleting makes room, so clients that wait should wait long. */
export const storageFull = (message: string): GatewayError =>
  new GatewayError('QUOTA_EXCEEDED', message, { retryAfterSeconds: DAY_SECONDS })

const PROVIDERS_FAULTS: ReadonlySet<ErrorCode> = new Set([
  'PROVIDER_ERROR',
  'NETWORK',
  'PROVIDER_RATE_LIMIT',
  'TIMEOUT',
])

/** Whether the provider failed, rather than the request, the client or the gateway: another provider may succeed. */
export const isProvidersFault = ({ code }: GatewayError): boolean => PROVIDERS_FAULTS.has(code)

/** Any thrown value as a GatewayError; anything else becomes INTERNAL_ERROR. */
export const toGatewayError = (thrown: unknown): GatewayError =>
  thrown instanceof GatewayError ? thrown : new GatewayError('INTERNAL_ERROR', undefined, { cause: thrown })
