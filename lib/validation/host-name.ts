import { isIPv6 } from 'node:net'
import { domainToASCII } from 'node:url'
import ipaddr from 'ipaddr.js'

/** The host of `host[:port]` (RFC 9110, 7.2): lower case, no port, no trailing dot, IPv6 canonical without brackets. */
export type HostName = Readonly<{
  name: string
  kind: 'name' | 'loopback-name' | 'address'
}>

const HOST_AND_PORT = /^(?:\[([\da-f:.]+)\]|([\w.~!$&'()*+;=%-]+))(?::\d{0,5})?$/i
const INTERNATIONAL = /^[\p{L}\p{M}\p{N}.-]*[^\p{ASCII}][\p{L}\p{M}\p{N}.-]*$/u
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)$/

const kindOf = (name: string): HostName['kind'] => {
  if (name === 'localhost' || name.endsWith('.localhost')) return 'loopback-name'
  return IPV4.test(name) ? 'address' : 'name'
}

/** Reads the value of a Host header or the authority of a request target; undefined where it is malformed. */
export const parseHost = (text: string): HostName | undefined => {
  const [, v6, written] = HOST_AND_PORT.exec(text) ?? []
  if (v6 !== undefined) return isIPv6(v6) ? { name: ipaddr.parse(v6).toString(), kind: 'address' } : undefined
  if (written === undefined) return undefined
  const lower = written.toLowerCase()
  const name = lower.endsWith('.') ? lower.slice(0, -1) : lower
  return name === '' ? undefined : { name, kind: kindOf(name) }
}

/** Reads one entry of a list of hosts: as `parseHost`, but international names and bare IPv6 addresses too. */
export const parseListedHost = (text: string): string | undefined => {
  if (isIPv6(text)) return parseHost(`[${text}]`)?.name
  const name = parseHost(INTERNATIONAL.test(text) ? domainToASCII(text) : text)?.name
  return name?.includes('*') ? undefined : name
}
