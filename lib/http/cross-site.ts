import { GatewayError } from '../errors.ts'
import { parseHost } from '../validation/host-name.ts'
import type { AccessRules } from './access-rules.ts'
import { carriesCredential } from './credential.ts'
import { type Transport, transportOf } from './transport.ts'

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
    'This request comes from a page of another site, which may change nothing here without an API key. ' +
      'If it should, add the origin of the page to ALLOWED_ORIGINS on the gateway.',
  )
}

/** Whether the page that sent a request, if any, was itself loaded over https. */
export const isSecurePage = (request: Request, rules: AccessRules): boolean =>
  transportOf(request, rules).scheme === 'https' ||
  (request.headers.get('origin')?.startsWith('https:') === true && !isCrossSite(request, rules))
