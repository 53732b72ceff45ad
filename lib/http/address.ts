import { isIP, isIPv4 } from 'node:net'
import ipaddr from 'ipaddr.js'
import { believedHop } from './forwarded.ts'
import { forwardingHeader, peerOf } from './peer-address.ts'

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
  const claimed = believedHop(name => forwardingHeader(request, peer, name), trustedProxyHops).address
  return (claimed && limitedAddress(claimed)) ?? (peer.address && limitedAddress(peer.address)) ?? UNKNOWN
}
