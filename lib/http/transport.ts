import type { AccessRules } from './access-rules.ts'
import { believedHop, type Hop } from './forwarded.ts'
import { forwardingHeader, type Peer, peerOf } from './peer-address.ts'

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
  const hop = believedHop(name => forwardingHeader(request, peer, name), trustedProxyHops)
  if (hop.proto === 'https' || hop.proto === 'http') return { peer, hop, scheme: hop.proto }
  return { peer, hop, scheme: peer.encrypted ? 'https' : undefined }
}

/** Strict-Transport-Security, where the request came over https: over http it must not be sent (RFC 6797, 7.2). */
export const transportSecurity = (request: Request, rules: AccessRules): Record<string, string> =>
  rules.strictTransportSecurity !== undefined && transportOf(request, rules).scheme === 'https'
    ? { 'strict-transport-security': rules.strictTransportSecurity }
    : {}
