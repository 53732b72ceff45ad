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
 * An address as limits see it: IPv4 whole, also where it is mapped or translated into IPv6; IPv6 by its /64;
 * a link-local one whole and with its zone, since every machine of a link has the same /64.
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
 * Who is calling, by address. What cannot be read as an address is taken for none, and the peer counts.
 *
 * @param trustedProxyHops how many proxies of our own stand in front. Each appends the address it was called
 * from to `X-Forwarded-For` or `Forwarded`; only what they appended is believed, so with 0 both count for nothing.
 */
export const clientAddress = (request: Request, trustedProxyHops: number): string => {
  const peer = peerOf(request)
  const claimed = believedHop(name => forwardingHeader(request, peer, name), trustedProxyHops).address
  return (claimed && limitedAddress(claimed)) ?? (peer.address && limitedAddress(peer.address)) ?? UNKNOWN
}
