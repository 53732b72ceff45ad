import { channel } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'

const SLOT = Symbol.for('parley.peer-address-header')
type Slot = { [SLOT]?: string }
const slot = globalThis as Slot

/** The header that carries the peer's address within this process; absent where none is written. */
export const peerAddressHeader = (): string | undefined => slot[SLOT]

/**
 * Next's route handlers do not see the socket, and take `X-Forwarded-For` as clients send it. So every request
 * gets the socket's address as a header when Node's HTTP server announces it, before Next looks. The header's
 * name is random for each process: nobody outside can send it.
 */
export const announcePeerAddresses = (): void => {
  const header = `x-peer-${crypto.randomUUID()}`
  slot[SLOT] = header
  channel('http.server.request.start').subscribe(message => {
    const { request } = message as { request: IncomingMessage }
    request.headers[header] = request.socket.remoteAddress ?? ''
  })
}
