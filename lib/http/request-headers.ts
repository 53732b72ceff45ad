import { isIP, isIPv4 } from 'node:net'
import ipaddr from 'ipaddr.js'
import { CACHE_KIND_RULE, type CacheKind, isCacheKind } from '../cache-kinds.ts'
import { GatewayError } from '../errors.ts'
import type { CacheMode, Call } from '../llm/types.ts'
import type { ClientInfo } from '../request-context.ts'
import { tagsOrThrow } from '../validation/tags.ts'
import type { AccessRules } from './access-rules.ts'
import { bearerToken, isCrossSite, KEY_HEADERS } from './cross-origin.ts'
import { forwardingHeader, peerOf, trustedHop } from './transport.ts'

const UNKNOWN = 'unknown'
const PREFIX_PARTS = 4
const EMBEDDED_IPV4_BYTES = 4

/** IPv4 behind a NAT64 translator comes as 64:ff9b::/96, where all share one /64. Source: RFC 6052. */
const embeddedIPv4 = (address: ipaddr.IPv6): string | undefined =>
  address.range() === 'rfc6052' ? address.toByteArray().slice(-EMBEDDED_IPV4_BYTES).join('.') : undefined

/**
 * The part of an address that limits apply to: IPv4 whole, also where it is mapped or translated into IPv6; IPv6 by its
 * /64; a link-local one whole and with its zone, since every machine of a link has the same /64.
 */
export const limitedAddress = (text: string): string | undefined => {
  if (isIPv4(text)) return text
  if (isIP(text) === 0) return undefined
  const address = ipaddr.process(text)
  if (address instanceof ipaddr.IPv4) return address.toString()
  if (address.range() === 'linkLocal') return address.toString()
  const prefix = address.parts.slice(0, PREFIX_PARTS).map(part => part.toString(16))
  return embeddedIPv4(address) ?? `${prefix.join(':')}::/64`
}

/**
 * The caller's address. An entry that is not a valid address is ignored, and the peer's is used.
 *
 * @param trustedProxyHops how many proxies of our own stand in front. Each appends its peer's address to
 * `X-Forwarded-For` or `Forwarded`; only these entries are trusted, so with 0 both are ignored.
 */
export const clientAddress = (request: Request, trustedProxyHops: number): string => {
  const peer = peerOf(request)
  const claimed = trustedHop(name => forwardingHeader(request, peer, name), trustedProxyHops).address
  return (claimed && limitedAddress(claimed)) ?? (peer.address && limitedAddress(peer.address)) ?? UNKNOWN
}

const SANE_REQUEST_ID = /^[\w.:/+=-]{1,128}$/

/** The client's request id where it is valid, else a new one. */
export const saneRequestId = (sent: string | null | undefined): string =>
  sent && SANE_REQUEST_ID.test(sent) ? sent : crypto.randomUUID()

/** The client's request id where it is valid, else a new one. */
export const requestIdOf = (request: Request): string => saneRequestId(request.headers.get('x-request-id'))

const TRACEPARENT = /^00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/

/** The client's place in a trace; undefined where it sent none, or an invalid one. Source: W3C Trace Context, 3.2. */
export const traceparentOf = ({ headers }: Request): string | undefined => {
  const sent = headers.get('traceparent')
  return sent !== null && TRACEPARENT.test(sent) ? sent : undefined
}

const bearerOf = (authorization: string | null): string | undefined => {
  if (authorization === null) return undefined
  const token = bearerToken(authorization)
  if (!token) throw new GatewayError('UNAUTHENTICATED', 'The Authorization header must be “Bearer <key>”.')
  return token
}

/** The only place that reads keys from a request. */
const apiKeyOf = ({ headers }: Request): string | undefined => {
  let key = bearerOf(headers.get('authorization'))
  for (const name of KEY_HEADERS) {
    const sent = headers.get(name)?.trim() || undefined
    if (sent === undefined) continue
    if (key !== undefined && key !== sent)
      throw new GatewayError(
        'INVALID_INPUT',
        'Authorization, x-api-key and api-key carry different keys; send one.',
      )
    key = sent
  }
  return key
}

/** The names of the cookies of guests and of admins; of several that are sent, the first counts. */
export type CookieNames = Readonly<{ session: string; admin: readonly string[] }>

/** The cookies of a request, unless another site's page sent it. The first of a name counts. */
const cookiesOf = (request: Request, rules: AccessRules): ReadonlyMap<string, string> => {
  const found = new Map<string, string>()
  const cookies = request.headers.get('cookie')
  if (cookies === null || isCrossSite(request, rules)) return found
  for (const pair of cookies.split(';')) {
    const [name = '', value] = pair.trim().split('=', 2)
    if (value !== undefined && !found.has(name)) found.set(name, value)
  }
  return found
}

/**
 * Reads the client's credentials and address from a request.
 * @throws GatewayError UNAUTHENTICATED or INVALID_INPUT for credentials that cannot be read as one key.
 */
export const clientInfoOf = (request: Request, rules: AccessRules, names: CookieNames): ClientInfo => {
  const cookies = cookiesOf(request, rules)
  const admin = names.admin.find(name => cookies.has(name))
  return {
    address: clientAddress(request, rules.trustedProxyHops),
    apiKey: apiKeyOf(request),
    session: cookies.get(names.session),
    ...(admin !== undefined && { adminSession: cookies.get(admin) }),
  }
}

const MODES: ReadonlyMap<string, CacheMode> = new Map([
  ['no-store', 'no-store'],
  ['no-cache', 'refresh'],
])

/** Whether the answer may come from the cache, by the request's `Cache-Control`. Source: RFC 9111, 5.2.1. */
const cacheModeOf = ({ headers }: Request): CacheMode => {
  const directives = (headers.get('cache-control') ?? '').toLowerCase().split(',')
  const found = directives.flatMap(directive => MODES.get(directive.trim()) ?? [])
  return found.includes('no-store') ? 'no-store' : (found[0] ?? 'default')
}

const HEADER = 'x-gateway-cache-tags'
const KIND_HEADER = 'x-gateway-cache-kind'

/**
 * The tags that a request gives its answer, by which it can be invalidated.
 * @throws GatewayError INVALID_INPUT for too many tags, or a malformed one.
 */
const cacheTagsOf = ({ headers }: Request): readonly string[] | undefined => {
  const value = headers.get(HEADER)
  return value === null ? undefined : tagsOrThrow(HEADER, value)
}

const cacheKindOf = ({ headers }: Request): CacheKind | undefined => {
  const kind = headers.get(KIND_HEADER)?.trim()
  if (kind === undefined || isCacheKind(kind)) return kind
  throw new GatewayError('INVALID_INPUT', `${KIND_HEADER}: ${CACHE_KIND_RULE}.`, {
    details: [{ path: KIND_HEADER, message: CACHE_KIND_RULE }],
  })
}

/**
 * The tags and the kind that a request gives its answer.
 * @throws GatewayError INVALID_INPUT for malformed tags, or an unknown kind
 */
export const cacheLabelsOf = (request: Request): Pick<Call, 'cacheTags' | 'cacheKind'> => ({
  cacheTags: cacheTagsOf(request),
  cacheKind: cacheKindOf(request),
})

/** What the headers of a request say of its call. */
export type HeaderOptions = Pick<Call, 'cache' | 'cacheTags' | 'cacheKind' | 'strict'>

/** The options of a call in the headers of its request. Throws what `cacheLabelsOf` throws. */
export const headerOptionsOf = (request: Request): HeaderOptions => ({
  cache: cacheModeOf(request),
  ...cacheLabelsOf(request),
  ...(request.headers.get('x-gateway-strict') === 'true' && { strict: true }),
})
