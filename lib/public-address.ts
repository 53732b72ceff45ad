import { type LookupAddress, lookup as lookUp } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

type Subnet = readonly [address: string, prefix: number]

const blockList = (type: 'ipv4' | 'ipv6', subnets: readonly Subnet[]): BlockList => {
  const list = new BlockList()
  for (const [address, prefix] of subnets) list.addSubnet(address, prefix, type)
  return list
}

/** Source: IANA IPv4 Special-Purpose Address Registry (RFC 6890), and multicast (RFC 5771). */
const SPECIAL_IPV4 = blockList('ipv4', [
  ['0.0.0.0', 8], // this network
  ['10.0.0.0', 8], // private use
  ['100.64.0.0', 10], // shared by carriers
  ['127.0.0.0', 8], // loopback
  ['169.254.0.0', 16], // link-local
  ['172.16.0.0', 12], // private use
  ['192.0.0.0', 24], // IETF protocol assignments
  ['192.0.2.0', 24], // documentation
  ['192.31.196.0', 24], // AS112
  ['192.52.193.0', 24], // automatic multicast tunnelling
  ['192.88.99.0', 24], // 6to4 relays
  ['192.168.0.0', 16], // private use
  ['192.175.48.0', 24], // AS112
  ['198.18.0.0', 15], // benchmarking
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, and broadcast
])

/** The only block of IPv6 from which global unicast addresses are given out. Source: IANA IPv6 Address Space. */
const GLOBAL_IPV6 = blockList('ipv6', [['2000::', 3]])

/** Source: IANA IPv6 Special-Purpose Address Registry (RFC 6890), as far as it lies within 2000::/3. */
const SPECIAL_IPV6 = blockList('ipv6', [
  ['2001::', 23], // IETF protocol assignments: Teredo, benchmarking, ORCHID and others
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4, which stands for an IPv4 address
  ['2620:4f:8000::', 48], // AS112
  ['3fff::', 20], // documentation
])

const IPV4_MAPPED = /^::ffff:(?:(\d+\.\d+\.\d+\.\d+)|([\da-f]{1,4}):([\da-f]{1,4}))$/
/** An interface identifier that stands for an IPv4 address, whatever the prefix. Source: RFC 5214, ISATAP. */
const ISATAP = /:(?:200|0|):5efe:(?:[\da-f]{1,4}:[\da-f]{1,4}|:)$/

/** The shortest form of an IPv6 address, as RFC 5952 writes it; undefined where it has a zone. */
const canonical = (address: string): string | undefined =>
  address.includes('%') ? undefined : new URL(`http://[${address}]`).hostname.slice(1, -1)

const mappedIpv4 = (address: string): string | undefined => {
  const [, dotted, high = '', low = ''] = IPV4_MAPPED.exec(address) ?? []
  if (dotted || high === '') return dotted
  const bytes = [high, low].map(group => Number.parseInt(group, 16)).flatMap(word => [word >> 8, word & 255])
  return bytes.join('.')
}

/**
 * Whether an IP address belongs to the open internet: one of the blocks that are given out for it, without those
 * reserved for anything else, and none that stands for an IPv4 address by a tunnel. An IPv4-mapped address is as public
 * as the IPv4 address that a connection to it reaches.
 */
export const isPublicAddress = (address: string): boolean => {
  const bare = address.replace(/^\[|\]$/g, '')
  const family = isIP(bare)
  if (family === 0) return false
  if (family === 4) return !SPECIAL_IPV4.check(bare, 'ipv4')
  const ipv6 = canonical(bare)
  if (ipv6 === undefined) return false
  const ipv4 = mappedIpv4(ipv6)
  if (ipv4 !== undefined) return !SPECIAL_IPV4.check(ipv4, 'ipv4')
  return GLOBAL_IPV6.check(ipv6, 'ipv6') && !SPECIAL_IPV6.check(ipv6, 'ipv6') && !ISATAP.test(ipv6)
}

/**
 * Resolves a name, and refuses it where any of its addresses is not allowed. Called for each connection, so that the
 * checked address is the one connected to.
 * @param refused the error of a refusal, and of a name without addresses
 */
export const guardedLookup =
  (isAllowed: (address: string) => boolean, refused: () => Error): LookupFunction =>
  (hostname, options, done) => {
    lookUp(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
      const [first] = found ?? []
      if (error || !first || !found.every(({ address }) => isAllowed(address))) return done(refused(), '', 0)
      if (options.all) return done(null, found)
      done(null, first.address, first.family)
    })
  }
