import { channel } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'

/** The connection's peer, and which of the proxies' headers it sent: Next adds some of its own. */
export type Peer = Readonly<{
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
