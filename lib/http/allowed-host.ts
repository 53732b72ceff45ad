import { GatewayError } from '../errors.ts'
import { type HostName, parseHost } from '../validation/host-name.ts'
import type { AccessRules } from './access-rules.ts'
import { carriesCredential } from './credential.ts'
import { peerOf } from './transport.ts'

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

/**
 * Refuses a request that a page may have sent through a host name under its control (DNS rebinding).
 * A request without a Host header (HTTP/1.0) passes: no browser sends one.
 *
 * @throws GatewayError FORBIDDEN, or INVALID_INPUT where the Host header is malformed
 */
export const assertAllowedHost = (request: Request, rules: HostRules): void => {
  const host = request.headers.get('host')
  if (host === null || !isChecked(request, rules)) return
  const parsed = parseHost(host)
  if (parsed && isAllowed(parsed, rules)) return
  if (!parsed && host !== '' && !host.includes('@'))
    throw new GatewayError('INVALID_INPUT', 'The Host header is malformed.')
  throw new GatewayError(
    'FORBIDDEN',
    `This gateway does not accept the host name “${host.slice(0, LONGEST_SHOWN)}”. ` +
      'If it should, add the name to ALLOWED_HOSTS on the gateway.',
  )
}
