import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { FastResponse, NodeRequest, sendNodeResponse } from 'srvx/node'
import { buildResponsesWith } from '../http/answer.ts'
import { notePeer } from '../http/peer-address.ts'
import { takeTargetAuthority } from '../http/request-target.ts'
import type { RouteTable } from './route-table.ts'

type NodeHandler = (request: IncomingMessage, response: ServerResponse) => unknown

const HEADERS_TIMEOUT_MS = 15_000
const REQUEST_TIMEOUT_MS = 60_000
const KEEP_ALIVE_MS = 65_000
/** How often Node looks for requests over these limits: its own 30 s would let them be three times as slow. */
const CHECK_MS = 1_000

const NO_PARAMS = Promise.resolve({})

/** The path without its query; Node has already refused what is no path. */
const pathOf = (url = '/'): string => {
  const query = url.indexOf('?')
  return query === -1 ? url : url.slice(0, query)
}

/** Answers what is no HTTP, and closes: nothing after it could be told apart from it. */
const refuse = (socket: Socket, tooLong: boolean): void => {
  const body = JSON.stringify({
    error: {
      code: 'INVALID_INPUT',
      message: tooLong ? 'The request headers are too long.' : 'This is not a valid HTTP request.',
      requestId: crypto.randomUUID(),
      retryable: false,
    },
  })
  socket.end(
    `HTTP/1.1 ${tooLong ? '431 Request Header Fields Too Large' : '400 Bad Request'}\r\n` +
      `content-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `connection: close\r\n\r\n${body}`,
  )
}

const refuseMalformed = (error: Error & { code?: string }, socket: Socket): void => {
  // A browser that connects ahead and asks for nothing runs into the time limit: it must not be told anything.
  const asked = error.code !== 'ECONNRESET' && error.code !== 'ERR_HTTP_REQUEST_TIMEOUT'
  if (!socket.writable || !asked) return void socket.destroy()
  refuse(socket, error.code === 'HPE_HEADER_OVERFLOW')
}

/** Several `Host` headers come joined by commas, which no host has. Source: RFC 9112, 3.2. */
const hasSeveralHosts = ({ headers }: IncomingMessage): boolean => headers.host?.includes(',') ?? false

/**
 * The native host: the table's route handlers straight on `node:http`; every other path goes to `pages`.
 * About twenty times the throughput of the same handlers under `next start`.
 */
export const nativeServer = (routes: RouteTable, pages: NodeHandler): Server => {
  buildResponsesWith(FastResponse)
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: CHECK_MS,
      // Of a header that comes twice Node would drop the second one, where a proxy may have believed it.
      joinDuplicateHeaders: true,
    },
    (req, res) => {
      if (hasSeveralHosts(req)) return refuse(req.socket, false)
      takeTargetAuthority(req)
      const match = routes(req.method ?? 'GET', pathOf(req.url))
      if (!match) {
        notePeer(req)
        return void pages(req, res)
      }
      const { handler, params } = match
      const context = { params: Object.keys(params).length === 0 ? NO_PARAMS : Promise.resolve(params) }
      void handler(new NodeRequest({ req, res }), context).then(response => sendNodeResponse(res, response))
    },
  )
  return server.on('clientError', refuseMalformed)
}
