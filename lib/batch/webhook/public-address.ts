import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/**
 * Whether an IP address belongs to the open internet: none of this machine, of private or link-local networks, of
 * carriers, and none that only stands for one of those (IPv4 in IPv6 in all its forms).
 */
export const isPublicAddress = (address: string): boolean => {
  const bare = address.replace(/^\[|\]$/g, '')
  return isIP(bare) !== 0 && ipaddr.process(bare).range() === 'unicast'
}
