import { type Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { systemClock } from '../../clock.ts'
import { inTurn, LoopTurns } from '../../loop-turns.ts'

type Emit<Emitter> = (this: Emitter, event: string | symbol, ...values: unknown[]) => boolean

let isInstalled = false

/** From now on the `close` of a response whose client has disconnected is emitted in turn. `destroyed` is true at once. */
const closeResponsesInTurn = (): void => {
  if (isInstalled) return
  isInstalled = true
  const emit = ServerResponse.prototype.emit as Emit<ServerResponse>
  const emitInTurn: Emit<ServerResponse> = function (event, ...values) {
    if (event !== 'close' || this.writableFinished) return emit.call(this, event, ...values)
    // Writes meanwhile fail; the writer is notified by `close`.
    this.on('error', () => {})
    inTurn(() => emit.call(this, event))
    return true
  }
  Object.assign(ServerResponse.prototype, { emit: emitInTurn })
}

/** Their own, so that the ends do not wait for the cleanup of those before them. */
const ends = new LoopTurns(systemClock.now)

/**
 * Ends the connections of a server, and their responses, in turn: thousands of clients may disconnect in the same
 * moment, and the cleanup of each takes time.
 */
export const closeInTurn = (server: Server): void => {
  closeResponsesInTurn()
  server.on('connection', (socket: Socket) => {
    // A connection whose offer of another protocol was ignored comes a second time.
    if (Object.hasOwn(socket, 'emit')) return
    const emit = socket.emit as Emit<Socket>
    const emitInTurn: Emit<Socket> = (event, ...values) => {
      if (event !== 'end') return emit.call(socket, event, ...values)
      ends.inTurn(() => {
        // Once it is closed, Node has given its parser to another connection.
        if (!socket.destroyed) emit.call(socket, 'end')
      })
      return true
    }
    Object.assign(socket, { emit: emitInTurn })
  })
}

const lastResponses = new WeakMap<Duplex, ServerResponse>()
/** Connections that have had a request: Next accepts some before its server is guarded. */
const connections = new Set<Duplex>()
let isDraining = false

/** Tracks the last response of a connection. To be called for every request. */
export const rememberResponse = (response: ServerResponse): void => {
  const { socket } = response.req
  if (!lastResponses.has(socket)) {
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
  }
  lastResponses.set(socket, response)
  if (isDraining) response.shouldKeepAlive = false
}

/**
 * From now on each response says `Connection: close`, also one that is awaited already, and its connection is closed
 * after it: a client's next request goes to another gateway, and none is lost when this one stops.
 */
export const drainConnections = (): void => {
  isDraining = true
  for (const socket of connections) {
    const response = lastResponses.get(socket)
    if (response && !response.headersSent) response.shouldKeepAlive = false
  }
}

/** The response to the last request whose headers have arrived; undefined before the first. */
export const lastResponseOf = (socket: Duplex): ServerResponse | undefined => lastResponses.get(socket)
