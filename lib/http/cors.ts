const EXPOSED = [
  'x-request-id',
  'request-id',
  'x-should-retry',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
  'retry-after',
  'x-gateway-model',
  'x-gateway-provider',
  'x-gateway-cache',
  'cache-status',
  'x-gateway-cost-usd',
  'x-gateway-params-dropped',
  'x-gateway-estimated',
  'x-gateway-stream-id',
  'x-gateway-resume',
  'idempotent-replayed',
].join(', ')

/** What the official clients of OpenAI and Anthropic say of themselves. */
const STAINLESS = [
  'arch',
  'helper',
  'helper-method',
  'lang',
  'os',
  'package-version',
  'retry-count',
  'runtime',
  'runtime-version',
  'timeout',
]

const ALLOWED = [
  'authorization',
  'content-type',
  'x-api-key',
  'api-key',
  'x-request-id',
  'idempotency-key',
  'x-gateway-cache-tags',
  'x-gateway-resume',
  'x-gateway-strict',
  'last-event-id',
  'anthropic-version',
  'anthropic-beta',
  'anthropic-dangerous-direct-browser-access',
  ...STAINLESS.map(name => `x-stainless-${name}`),
].join(', ')

const NONE: Readonly<Record<string, string>> = {}

/** Keeps responses out of pages of other sites, also for requests without CORS. */
const SAME_ORIGIN = { 'cross-origin-resource-policy': 'same-origin' }
const VARYING = { ...SAME_ORIGIN, vary: 'Origin' }

/** CORS headers for a browser on another site: none, unless its origin is exactly one of the allowed. */
export class Cors {
  readonly #allowed: ReadonlySet<string>

  constructor(allowedOrigins: ReadonlySet<string>) {
    this.#allowed = allowedOrigins
  }

  /** Headers of an ordinary response. */
  headers(origin: string | null): Readonly<Record<string, string>> {
    if (this.#allowed.size === 0) return SAME_ORIGIN
    if (origin === null || !this.#allowed.has(origin)) return VARYING
    return {
      vary: 'Origin',
      'access-control-allow-origin': origin,
      'access-control-expose-headers': EXPOSED,
    }
  }

  /** Further headers of the response to a preflight. */
  preflight(origin: string | null, methods: string): Readonly<Record<string, string>> {
    if (origin === null || !this.#allowed.has(origin)) return NONE
    return {
      'access-control-allow-methods': methods,
      'access-control-allow-headers': ALLOWED,
      'access-control-max-age': '600',
    }
  }
}
