import { type IncomingMessage, Server, type ServerResponse } from 'node:http'
import { inTurn, turn } from '../../loop-turns.ts'
import { compressResponse } from './compression.ts'
import { guardServer } from './guard.ts'
import { guardPages } from './pages.ts'
import { isApiPath, pathOf, screen } from './screen.ts'

type Emit = (this: Server, event: string | symbol, ...values: unknown[]) => boolean

/**
 * Guards every HTTP server of this process, also those that listen already: Next creates its own, and answers or fails
 * many requests itself before they reach a route.
 *
 * @param build Next's folder, `.next`
 */
export const guardEveryServer = (build: string): void => {
  const emit = Server.prototype.emit as Emit
  const guarded = new WeakSet<Server>()
  const servePage = guardPages(build)

  const guardedEmit: Emit = function (event, ...values) {
    if (event === 'connection' && !guarded.has(this)) {
      guarded.add(this)
      guardServer(this)
    }
    if (event !== 'request') return emit.call(this, event, ...values)
    const [request, response] = values as [IncomingMessage, ServerResponse]
    if (screen(request, response)) return true
    const work = () => emit.call(this, event, request, response)
    // Thousands may arrive in the same moment. A page takes its slot first, so that those beyond the limit do not wait.
    if (isApiPath(pathOf(request.url))) {
      // Next drops the Content-Encoding of a route's response.
      compressResponse(request, response)
      inTurn(work)
    } else
      servePage(request, response, async () => {
        await turn()
        work()
      })
    return true
  }
  Object.assign(Server.prototype, { emit: guardedEmit })
}
