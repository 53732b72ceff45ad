import { LRUCache } from 'lru-cache'
import { GatewayError } from '../errors.ts'
import { type HostName, parseHost } from '../validation/host-name.ts'
import type { AccessRules } from './access-rules.ts'
import { peerOf, type Transport, transportOf } from './transport.ts'

const BEARER = /^Bearer +(\S+) *$/i

/** The token of an Authorization header; undefined where it has another form. */
export const bearerToken = (authorization: string): string | undefined => BEARER.exec(authorization)?.[1]

/** Headers that hold a key and nothing else; the second is Azure's. */
export const KEY_HEADERS = ['x-api-key', 'api-key'] as const

/**
 * Whether a request carries an explicit credential. The cookie and the address are ambient, and so is Basic
 * authentication, which a browser repeats by itself.
 */
const carriesCredential = (headers: Headers): boolean => {
  const authorization = headers.get('authorization')
  if (authorization !== null && bearerToken(authorization) !== undefined) return true
  return KEY_HEADERS.some(name => Boolean(headers.get(name)?.trim()))
}

type HostRules = Pick<AccessRules, 'allowedHosts' | 'publicUrl' | 'trustedProxyHops'>

/** A disconnected peer counts as loopback, since its address is unknown. */
const isLoopback = (address: string | undefined): boolean =>
  !address || address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.')

/**
 * Whether the host has to be checked at all. Without a list, only where DNS rebinding is a risk: for a page in a
 * browser on this machine, which has no key but its address.
 */
const isChecked = (request: Request, { allowedHosts, trustedProxyHops }: HostRules): boolean =>
  allowedHosts !== undefined ||
  (trustedProxyHops === 0 && !carriesCredential(request.headers) && isLoopback(peerOf(request).address))

const isAllowed = ({ name, kind }: HostName, { allowedHosts, publicUrl }: HostRules): boolean =>
  allowedHosts ? allowedHosts.has(name) : kind !== 'name' || name === publicUrl?.host

const LONGEST_SHOWN = 100

/** Nearly all requests name the same few hosts. */
const parsedHosts = new LRUCache<string, HostName>({ max: 100 })
const LONGEST_REMEMBERED = 300

const hostOf = (text: string): HostName | undefined => {
  const known = parsedHosts.get(text)
  if (known) return known
  const parsed = parseHost(text)
  if (parsed && text.length <= LONGEST_REMEMBERED) parsedHosts.set(text, parsed)
  return parsed
}

/**
 * Refuses a request that a page may have sent through a host name under its control (DNS rebinding).
 * A request without a Host header (HTTP/1.0) passes: no browser sends one.
 *
 * @throws GatewayError FORBIDDEN, or INVALID_INPUT where the Host header is malformed
 */
export const assertAllowedHost = (request: Request, rules: HostRules): void => {
  const host = request.headers.get('host')
  if (host === null || !isChecked(request, rules)) return
  const parsed = hostOf(host)
  if (parsed && isAllowed(parsed, rules)) return
  if (!parsed && host !== '' && !host.includes('@'))
    throw new GatewayError('INVALID_INPUT', 'The Host header is malformed.')
  throw new GatewayError(
    'FORBIDDEN',
    `This gateway does not accept the host name “${host.slice(0, LONGEST_SHOWN)}”. ` +
      'To allow it, add it to ALLOWED_HOSTS on the gateway.',
  )
}

type Scheme = NonNullable<Transport['scheme']> | 'any'

/**
 * No certificate is issued for these, so there is no undeclared TLS proxy in front: they are reached over plain http.
 */
const isPlain = (host: string | null): boolean => {
  const kind = host === null ? undefined : parseHost(host)?.kind
  return kind === 'loopback-name' || kind === 'address'
}

const schemeOf = (request: Request, { scheme }: Transport, { trustedProxyHops }: AccessRules): Scheme =>
  scheme ?? (trustedProxyHops === 0 && isPlain(request.headers.get('host')) ? 'http' : 'any')

const isAt = (origin: URL, host: string | null | undefined): boolean =>
  Boolean(host && parseHost(host)) && URL.parse(`${origin.protocol}//${host}`)?.host === origin.host

/** Whether an origin is not the one that the request itself was sent to. */
const isForeignOrigin = (text: string, request: Request, rules: AccessRules): boolean => {
  const origin = URL.parse(text)
  if (origin?.origin !== text) return true
  if (text === rules.publicUrl?.origin) return false
  const transport = transportOf(request, rules)
  const scheme = schemeOf(request, transport, rules)
  if (scheme !== 'any' && origin.protocol !== `${scheme}:`) return true
  return !isAt(origin, request.headers.get('host')) && !isAt(origin, transport.hop.host)
}

/**
 * Whether a page of another site made a browser send this request. `Sec-Fetch-Site` says so; browsers without it,
 * and all of them on plain http to other machines, send `Origin` with what is not a simple read. A client that sends
 * neither is not a page. `none` is the user, or a trusted extension.
 */
export const isCrossSite = (request: Request, rules: AccessRules): boolean => {
  const site = request.headers.get('sec-fetch-site')
  if (site) return site !== 'same-origin' && site !== 'none'
  const origin = request.headers.get('origin')
  return origin !== null && isForeignOrigin(origin, request, rules)
}

/**
 * Refuses cross-site requests that change something. An allowed origin may send them, and so may a request with an
 * explicit credential, since browsers add only the cookie and the address by themselves.
 *
 * @throws GatewayError FORBIDDEN
 */
export const assertSameSite = (request: Request, rules: AccessRules): void => {
  if (!isCrossSite(request, rules)) return
  if (rules.allowedOrigins.has(request.headers.get('origin') ?? '')) return
  if (carriesCredential(request.headers)) return
  throw new GatewayError(
    'FORBIDDEN',
    'A page of another site can change nothing here without an API key. ' +
      'To allow this page, add its origin to ALLOWED_ORIGINS on the gateway.',
  )
}

/** Whether the page that sent a request, if any, was itself loaded over https. */
export const isSecurePage = (request: Request, rules: AccessRules): boolean =>
  transportOf(request, rules).scheme === 'https' ||
  (request.headers.get('origin')?.startsWith('https:') === true && !isCrossSite(request, rules))

const RATE_LIMITS = ['limit', 'remaining', 'reset'].flatMap(what =>
  ['', '-requests', '-tokens'].map(of => `x-ratelimit-${what}${of}`),
)

/** Headers of ours that a page's clients read. */
const EXPOSED = [
  'x-request-id',
  'request-id',
  'openai-processing-ms',
  'server-timing',
  'x-should-retry',
  ...RATE_LIMITS,
  'ratelimit',
  'ratelimit-policy',
  'retry-after',
  'retry-after-ms',
  'x-gateway-model',
  'x-gateway-provider',
  'x-gateway-attempts',
  'x-gateway-fallback',
  'x-gateway-arm',
  'x-gateway-guardrails',
  'x-gateway-stored',
  'x-gateway-cache',
  'cache-status',
  'age',
  'content-disposition',
  'etag',
  'x-vercel-ai-ui-message-stream',
  'x-gateway-cost-usd',
  'x-gateway-params-dropped',
  'x-gateway-warnings',
  'x-gateway-estimated',
  'x-gateway-stream-id',
  'x-gateway-resume',
  'idempotent-replayed',
].join(', ')

/** What the official clients of OpenAI and Anthropic say of themselves. */
const STAINLESS = [
  'arch',
  'custom-poll-interval',
  'helper',
  'helper-method',
  'lang',
  'os',
  'package-version',
  'poll-helper',
  'retry-count',
  'runtime',
  'runtime-version',
  'timeout',
]

/** What clients send: a browser refuses a whole request for a header that is not among them. */
const ALLOWED = [
  'authorization',
  'cache-control',
  'content-encoding',
  'content-type',
  'if-none-match',
  'user-agent',
  'x-api-key',
  'api-key',
  'x-request-id',
  'x-client-request-id',
  'traceparent',
  'idempotency-key',
  'x-gateway-cache-kind',
  'x-gateway-cache-tags',
  'x-gateway-resume',
  'x-gateway-strict',
  'last-event-id',
  'openai-beta',
  'openai-organization',
  'openai-project',
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
