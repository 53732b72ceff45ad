import { ServerResponse } from 'node:http'
import { inTurn } from '../../loop-turns.ts'

type Emit = (this: ServerResponse, event: string | symbol, ...values: unknown[]) => boolean

let isInstalled = false

/**
 * From now on the `close` of a response whose client has gone is emitted when it is its turn: thousands of clients may
 * leave in the same moment, and what hangs on each takes its time. `destroyed` is true at once.
 */
export const emitCloseInTurn = (): void => {
  if (isInstalled) return
  isInstalled = true
  const emit = ServerResponse.prototype.emit as Emit
  const emitInTurn: Emit = function (event, ...values) {
    if (event !== 'close' || this.writableFinished) return emit.call(this, event, ...values)
    // What is still written meanwhile fails, which its writer learns by `close`.
    this.on('error', () => {})
    inTurn(() => emit.call(this, event))
    return true
  }
  Object.assign(ServerResponse.prototype, { emit: emitInTurn })
}
