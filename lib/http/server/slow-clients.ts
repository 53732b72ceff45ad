import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type Clock, systemClock } from '../../clock.ts'
import { GatewayError } from '../../errors.ts'
import { inTurn } from '../../loop-turns.ts'
import { lastResponseOf } from './connections.ts'
import { refuseConnection } from './refuse.ts'

const HEADERS_MS = 15_000
const BODY_MS = 60_000
/** Each byte of a body extends its time: a large upload over a slow line is no attack. */
const BODY_BYTES_PER_MS = 16
const CHECK_MS = 1_000
const REQUEST_TIMEOUT = 408

/** What a client is sending. */
type Sending = Readonly<{
  /** Nothing: the connection is idle, or a response is under way. */
  kind: 'nothing' | 'headers' | 'body'
  since: number
  /** Received on the connection when it began. */
  bytes: number
  /** The response to the request before it, or to the one whose body it is. */
  response: ServerResponse | undefined
}>

const kindOf = (response: ServerResponse | undefined, bytes: number, before: Sending): Sending['kind'] => {
  if (response && !response.req.complete) return 'body'
  if (response && !response.closed) return 'nothing'
  // The bytes since then belong to the request that was answered meanwhile.
  if (response !== before.response) return 'nothing'
  return before.kind === 'headers' || bytes > before.bytes ? 'headers' : 'nothing'
}

/** @param before as of the last check */
const sendingOf = (socket: Socket, before: Sending, now: number): Sending => {
  const { bytesRead: bytes } = socket
  const response = lastResponseOf(socket)
  const kind = kindOf(response, bytes, before)
  const isSame = kind === before.kind && response === before.response && kind !== 'nothing'
  return isSame ? before : { kind, since: now, bytes, response }
}

const isOverdue = ({ kind, since, bytes }: Sending, bytesRead: number, now: number): boolean => {
  if (kind === 'nothing') return false
  const mostMs = kind === 'headers' ? HEADERS_MS : BODY_MS + (bytesRead - bytes) / BODY_BYTES_PER_MS
  return now - since > mostMs
}

/** Whether a request has begun to arrive, and nothing of the response to it has been sent. */
const isUnanswered = (socket: Socket, { kind, bytes, response }: Sending): boolean =>
  kind === 'headers'
    ? response !== undefined || socket.bytesRead > bytes
    : response?.socket === socket && !response.headersSent

/**
 * Refuses what has arrived of a request, where possible, and reads no more of it. The connection is closed by the client,
 * or at the next check.
 */
const end = (socket: Socket, sending: Sending): void => {
  const hasArrived = sendingOf(socket, sending, sending.since) !== sending
  if (hasArrived) return
  if (!socket.writable || !isUnanswered(socket, sending)) return void socket.destroy()
  const { kind, response } = sending
  const arrived = kind === 'body' && response ? response.req : {}
  const error = new GatewayError('TIMEOUT', 'The request took too long to arrive.')
  refuseConnection(socket, error, arrived, { status: REQUEST_TIMEOUT })
  socket.pause()
}

/**
 * Closes connections whose client takes more than 15 s to send a request's headers, or more than 60 s for its body and
 * 1 ms for every 16 bytes of it; checked each second. A connection that has not sent anything counts as sending headers.
 * Where a request has begun to arrive, it is refused with 408 before.
 *
 * In place of Node's `headersTimeout` and `requestTimeout`, which end all overdue connections in one go: 500 of them
 * block the event loop for 60 ms.
 */
export const limitSlowClients = (server: Server, clock: Clock = systemClock): void => {
  server.headersTimeout = 0
  server.requestTimeout = 0
  const connections = new Map<Socket, Sending>()

  server.on('connection', (socket: Socket) => {
    // A connection whose offer of another protocol was ignored comes a second time.
    if (!connections.has(socket)) socket.once('close', () => connections.delete(socket))
    const response = lastResponseOf(socket)
    connections.set(socket, { kind: 'headers', since: clock.now(), bytes: socket.bytesRead, response })
  })

  const check = () => {
    const now = clock.now()
    for (const [socket, before] of connections) {
      const sending = sendingOf(socket, before, now)
      connections.set(socket, sending)
      if (isOverdue(sending, socket.bytesRead, now)) inTurn(() => end(socket, sending))
    }
    timer.refresh()
  }
  const timer = clock.timer(CHECK_MS, check)
  server.once('close', () => timer.cancel())
}
