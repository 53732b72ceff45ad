import { isIPv4 } from 'node:net'
import ipaddr from 'ipaddr.js'
import { peerAddressHeader } from './peer-address.ts'

const UNKNOWN = 'unknown'
const PREFIX_PARTS = 4

/** An address as limits see it: IPv4 whole, IPv4 in IPv6 clothes as IPv4, IPv6 by its /64. */
export const limitedAddress = (text: string): string | undefined => {
  if (isIPv4(text)) return text
  if (!ipaddr.isValid(text)) return undefined
  const address = ipaddr.process(text)
  if (address instanceof ipaddr.IPv4) return address.toString()
  return `${address.parts
    .slice(0, PREFIX_PARTS)
    .map(part => part.toString(16))
    .join(':')}::/64`
}

/** The other end of the connection, as the host tells it: srvx as a property, Next through our own header. */
const peerOf = (request: Request): string | undefined => {
  if ('ip' in request && typeof request.ip === 'string') return request.ip
  const header = peerAddressHeader()
  return (header && request.headers.get(header)) ?? undefined
}

/**
 * Who is calling, by address.
 *
 * @param trustedProxyHops how many proxies of our own stand in front. Each appends the address it was called
 * from to `X-Forwarded-For`; only what they appended is believed, so with 0 the header counts for nothing.
 */
export const clientAddress = (request: Request, trustedProxyHops: number): string => {
  const peer = peerOf(request)
  if (trustedProxyHops > 0) {
    const forwarded = request.headers.get('x-forwarded-for')?.split(',') ?? []
    const claimed = forwarded.at(-trustedProxyHops) ?? forwarded[0]
    const address = claimed && limitedAddress(claimed.trim())
    if (address) return address
  }
  return (peer && limitedAddress(peer)) ?? UNKNOWN
}
