import { type IncomingMessage, Server, type ServerResponse } from 'node:http'
import { inTurn } from '../loop-turns.ts'

type Emit = (this: Server, event: string, ...values: unknown[]) => boolean

/**
 * Has every HTTP server of this process begin its requests in turns. For a host that does much for each of them before
 * ours is reached: Next takes about a millisecond, and thousands may come in the same moment.
 */
export const beginRequestsInTurns = (): void => {
  const emit = Server.prototype.emit as Emit
  const emitInTurn: Emit = function emitInTurn(event, ...values) {
    if (event !== 'request') return emit.call(this, event, ...values)
    const [request, response] = values as [IncomingMessage, ServerResponse]
    inTurn(() => void emit.call(this, event, request, response))
    return true
  }
  Object.assign(Server.prototype, { emit: emitInTurn })
}
