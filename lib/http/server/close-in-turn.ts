import { ServerResponse } from 'node:http'
import { inTurn } from '../../loop-turns.ts'

type Emit = (this: ServerResponse, event: string | symbol, ...values: unknown[]) => boolean

let isInstalled = false

/**
 * From now on the `close` of a response whose client has disconnected is emitted in turn: thousands of clients may
 * disconnect in the same moment, and the cleanup of each takes time. `destroyed` is true at once.
 */
export const emitCloseInTurn = (): void => {
  if (isInstalled) return
  isInstalled = true
  const emit = ServerResponse.prototype.emit as Emit
  const emitInTurn: Emit = function (event, ...values) {
    if (event !== 'close' || this.writableFinished) return emit.call(this, event, ...values)
    // Writes meanwhile fail; the writer is notified by `close`.
    this.on('error', () => {})
    inTurn(() => emit.call(this, event))
    return true
  }
  Object.assign(ServerResponse.prototype, { emit: emitInTurn })
}
