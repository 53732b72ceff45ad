import { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { systemClock } from '../../clock.ts'
import type { GatewayError } from '../../errors.ts'
import { dropBody } from '../body.ts'
import { errorResponse } from '../error-response.ts'
import { saneRequestId } from '../request-headers.ts'
import { apiHeaders } from '../security-headers.ts'

/** Differences from the usual response for that error. */
type Changes = Readonly<{ status?: number; headers?: Readonly<Record<string, string>> }>

/** What has arrived of a request; empty where nothing is known of it. */
type Arrived = Partial<Pick<IncomingMessage, 'url' | 'headers'>>

/** An error in the form of the path's API, outside any route. */
const responseOf = (error: GatewayError, path: string, sent: IncomingHttpHeaders = {}) => {
  const sentId = sent['x-request-id']
  const namesVersion = sent['anthropic-version'] !== undefined
  const requestId = saneRequestId(typeof sentId === 'string' ? sentId : undefined)
  const { status = 500, json, headers } = errorResponse(error, requestId, path, namesVersion)
  const body = JSON.stringify(json)
  return {
    status,
    body,
    headers: {
      ...apiHeaders(),
      ...headers,
      'x-request-id': requestId,
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(Buffer.byteLength(body)),
    },
  }
}

/** Refuses a request before its body is read; the rest of it is dropped, within limits. */
export const refuse = (
  request: IncomingMessage,
  response: ServerResponse,
  error: GatewayError,
  changes: Changes = {},
): void => {
  const { status, body, headers } = responseOf(error, request.url ?? '', request.headers)
  const connection = dropBody(request, systemClock) ? { connection: 'close' } : {}
  response.writeHead(changes.status ?? status, { ...headers, ...connection, ...changes.headers })
  response.end(body)
}

/** Refuses on a bare connection, and closes it. */
export const refuseConnection = (
  socket: Duplex,
  error: GatewayError,
  { url = '', headers: sent }: Arrived,
  changes: Changes = {},
): void => {
  const { status: usual, body, headers } = responseOf(error, url, sent)
  const status = changes.status ?? usual
  const lines = Object.entries({ ...headers, ...changes.headers, connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  )
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`)
}
