import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { GatewayError } from '../../errors.ts'
import { closeInTurn } from './connections.ts'
import { continueWhenRead } from './expect.ts'
import { refuseConnection } from './refuse.ts'
import { limitSlowClients } from './slow-clients.ts'
import { ignoreUpgrades } from './upgrade.ts'

const KEEP_ALIVE_MS = 65_000
const HEADERS_TOO_LARGE = 431

/** The parser's error, with the last bytes received. Source: Node's `clientError`. */
type ParseError = Error & Readonly<{ code?: string; rawPacket?: Buffer }>

/** Enough of a request line to see which API it names. */
const LINE_START_BYTES = 512

/** The target of a request that could not be parsed, as far as its bytes show it; otherwise empty. */
const targetOf = ({ rawPacket }: ParseError): string => {
  const start = rawPacket?.toString('latin1', 0, LINE_START_BYTES) ?? ''
  return /^[\w-]+ (\S+)/.exec(start)?.[1] ?? ''
}

/** Responds to malformed HTTP, and closes: the start of the next request is unknown. */
const refuseMalformed = (error: ParseError, socket: Duplex): void => {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
  const isTooLong = error.code === 'HPE_HEADER_OVERFLOW'
  const message = isTooLong ? 'The request headers are too long.' : 'This is not a valid HTTP request.'
  refuseConnection(
    socket,
    new GatewayError('INVALID_INPUT', message),
    { url: targetOf(error) },
    isTooLong ? { status: HEADERS_TOO_LARGE } : {},
  )
}

const refuseTunnel = (request: IncomingMessage, socket: Duplex): void =>
  refuseConnection(socket, new GatewayError('METHOD_NOT_ALLOWED', 'This server is not a proxy.'), request, {
    headers: { allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS' },
  })

/**
 * Replaces Node's and Next's own handling of malformed requests, CONNECT, upgrades and expectations. Expectations other
 * than `100-continue` are ignored, as RFC 9110, 10.1.1 allows.
 */
export const guardServer = (server: Server): Server => {
  Object.assign(server, {
    // Node drops the second of a repeated header, which a proxy may have trusted.
    joinDuplicateHeaders: true,
    // Refused by `screen`: Node's own refusal has no body.
    requireHostHeader: false,
  })
  server.keepAliveTimeout = KEEP_ALIVE_MS
  limitSlowClients(server)
  ignoreUpgrades(server)
  closeInTurn(server)
  return server
    .on('clientError', refuseMalformed)
    .on('connect', refuseTunnel)
    .on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      continueWhenRead(request, response)
      server.emit('request', request, response)
    })
    .on('checkExpectation', (request: IncomingMessage, response: ServerResponse) =>
      server.emit('request', request, response),
    )
}
