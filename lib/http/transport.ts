import { channel } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import { isIPv4, isIPv6 } from 'node:net'
import type { AccessRules } from './access-rules.ts'

/** A proxy's information about the request that it received. Absent members are undefined. */
type Hop = Readonly<{
  /** IP address, without port, brackets and quotes; undefined also where none can be read (`unknown`, `_hidden`). */
  address?: string | undefined
  /** `http` or `https`, in lower case. */
  proto?: string | undefined
  /** The Host that the client sent. */
  host?: string | undefined
}>

type GetHeader = (name: string) => string | null

const QUOTED = /^"(.*)"$/s
/** A node of RFC 7239, 6: an address with an optional port, which may be an obfuscated one. */
const NODE = /^(?:\[([^\]]*)\]|([\d.]+))(?::(?:\d{1,5}|_[\w.-]+))?$/

const unquoted = (text: string): string => {
  const [, inner] = QUOTED.exec(text) ?? []
  return inner === undefined ? text : inner.replaceAll(/\\(.)/gs, '$1').trim()
}

/** The IP address of one entry of `X-Forwarded-For` or of a `for=`; undefined where there is none. */
export const addressOfNode = (entry: string): string | undefined => {
  const node = unquoted(entry.trim())
  if (isIPv6(node)) return node
  const [, bracketed, v4] = NODE.exec(node) ?? []
  if (v4 !== undefined) return isIPv4(v4) ? v4 : undefined
  const v6 = bracketed?.replace('%25', '%')
  return v6 !== undefined && isIPv6(v6) ? v6 : undefined
}

/**
 * The entry that the outermost trusted proxy wrote: each proxy appends one, and empty ones are ignored.
 * Where there are fewer entries than trusted proxies, the first, written by the outermost one in the path.
 */
const trustedEntry = (entries: readonly string[], hops: number): string | undefined => {
  const filled = entries.map(entry => entry.trim()).filter(entry => entry !== '')
  return filled.at(-hops) ?? filled[0]
}

const isEscaped = (text: string, index: number): boolean => {
  let backslashes = 0
  while (text[index - 1 - backslashes] === '\\') backslashes++
  return backslashes % 2 === 1
}

/**
 * Splits where the separator stands outside quotes, seen from the right: an unclosed quote in a client's part of the
 * header, left of what proxies append, cannot swallow their entries.
 */
const splitOutsideQuotes = (text: string, separator: string): string[] => {
  const parts: string[] = []
  let end = text.length
  let quoted = false
  for (let index = text.length - 1; index >= 0; index--) {
    if (text[index] === '"' && !isEscaped(text, index)) quoted = !quoted
    else if (text[index] === separator && !quoted) {
      parts.unshift(text.slice(index + 1, end))
      end = index
    }
  }
  return [text.slice(0, end), ...parts]
}

/** One element of `Forwarded`; empty where a parameter is repeated or malformed. Source: RFC 7239, 4. */
const parseElement = (element: string): ReadonlyMap<string, string> => {
  const found = new Map<string, string>()
  for (const pair of splitOutsideQuotes(element, ';')) {
    if (pair.trim() === '') continue
    const equals = pair.indexOf('=')
    const name = pair.slice(0, equals).trim().toLowerCase()
    if (equals === -1 || found.has(name)) return new Map()
    found.set(name, unquoted(pair.slice(equals + 1).trim()))
  }
  return found
}

const NOTHING: Hop = {}

/**
 * The information of the outermost trusted proxy. For each member, `X-Forwarded-For`, `-Proto` and `-Host` take
 * precedence over `Forwarded` (RFC 7239). Lines of the same header count as one list.
 *
 * @param hops how many proxies are trusted; with 0 nothing is trusted
 */
export const trustedHop = (get: GetHeader, hops: number): Hop => {
  if (hops === 0) return NOTHING
  const listed = (name: string) => trustedEntry(get(name)?.split(',') ?? [], hops)
  const forwarded = trustedEntry(splitOutsideQuotes(get('forwarded') ?? '', ','), hops)
  const element = forwarded === undefined ? undefined : parseElement(forwarded)
  const node = listed('x-forwarded-for') ?? element?.get('for')
  return {
    address: node === undefined ? undefined : addressOfNode(node),
    proto: (listed('x-forwarded-proto') ?? element?.get('proto'))?.toLowerCase(),
    host: listed('x-forwarded-host') ?? element?.get('host'),
  }
}

/** The connection's peer, and which of the proxies' headers it sent: Next adds some of its own. */
type Peer = Readonly<{
  /** Absent where the connection is already closed. */
  address?: string | undefined
  encrypted: boolean
  /** When absent, those of the request. */
  forwardingHeaders?: readonly string[]
}>

const FORWARDING = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded']

const SLOT = Symbol.for('parley.peer-address-header')
type Slot = { [SLOT]?: string }
const slot = globalThis as Slot

const UNKNOWN: Peer = { encrypted: false }

const isEncrypted = ({ socket }: IncomingMessage): boolean =>
  'encrypted' in socket && socket.encrypted === true

/**
 * Records the peer in a header of the request, for handlers without access to the socket. The header's name is
 * random for each process, so that no client can send it.
 */
export const notePeer = (request: IncomingMessage): void => {
  slot[SLOT] ??= `x-peer-${crypto.randomUUID()}`
  const peer: Peer = {
    address: request.socket.remoteAddress,
    encrypted: isEncrypted(request),
    forwardingHeaders: FORWARDING.filter(name => request.headers[name] !== undefined),
  }
  request.headers[slot[SLOT]] = JSON.stringify(peer)
}

/**
 * Next's route handlers have no access to the socket, and trust `X-Forwarded-For` from clients. So the peer of every
 * request is recorded when Node's HTTP server emits it, before Next handles it.
 */
export const announcePeerAddresses = (): void => {
  channel('http.server.request.start').subscribe(message => {
    const { request } = message as { request: IncomingMessage }
    notePeer(request)
  })
}

type NodeRequest = Readonly<{ ip?: unknown; runtime?: { node?: { req?: IncomingMessage } } }>

/** The peer of a request: srvx knows it on the native server, elsewhere it was recorded. */
export const peerOf = (request: Request): Peer => {
  const { ip, runtime } = request as NodeRequest
  const address = typeof ip === 'string' ? ip : undefined
  const message = runtime?.node?.req
  if (address !== undefined || message) return { address, encrypted: message ? isEncrypted(message) : false }
  const written = slot[SLOT] && request.headers.get(slot[SLOT])
  return written ? (JSON.parse(written) as Peer) : UNKNOWN
}

/** A header that a proxy may have sent; null where the peer sent none, even if Next has added one. */
export const forwardingHeader = (
  request: Request,
  { forwardingHeaders }: Peer,
  name: string,
): string | null =>
  forwardingHeaders && !forwardingHeaders.includes(name) ? null : request.headers.get(name)

/** How a request reached the outermost trusted server. */
export type Transport = Readonly<{
  peer: Peer
  hop: Hop
  /** Undefined where a proxy in front does not report it. */
  scheme: 'http' | 'https' | undefined
}>

/** The scheme is that of the socket, unless a trusted proxy reports another. */
export const transportOf = (
  request: Request,
  { trustedProxyHops }: Pick<AccessRules, 'trustedProxyHops'>,
): Transport => {
  const peer = peerOf(request)
  const hop = trustedHop(name => forwardingHeader(request, peer, name), trustedProxyHops)
  if (hop.proto === 'https' || hop.proto === 'http') return { peer, hop, scheme: hop.proto }
  return { peer, hop, scheme: peer.encrypted ? 'https' : undefined }
}

/** Strict-Transport-Security, where the request came over https: over http it must not be sent (RFC 6797, 7.2). */
export const transportSecurity = (request: Request, rules: AccessRules): Record<string, string> =>
  rules.strictTransportSecurity !== undefined && transportOf(request, rules).scheme === 'https'
    ? { 'strict-transport-security': rules.strictTransportSecurity }
    : {}
