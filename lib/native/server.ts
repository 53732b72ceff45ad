import { createServer, type Server } from 'node:http'
import { NodeRequest, sendNodeResponse } from 'srvx/node'
import { buildResponsesWith } from '../http/route-response.ts'
import { guardServer } from '../http/server/guard.ts'
import { guardPages, type NodeHandler } from '../http/server/pages.ts'
import { pathOf, screen } from '../http/server/screen.ts'
import { notePeer } from '../http/transport.ts'
import { NativeResponse } from './response.ts'
import type { RouteTable } from './route-table.ts'

const NO_PARAMS = Promise.resolve({})

/**
 * The native server: the table's route handlers straight on `node:http`; every other path goes to `pages`.
 * The files of a `build` of the pages it sends itself.
 * About twenty times the throughput of the same handlers under `next start`.
 */
export const nativeServer = (routes: RouteTable, pages: NodeHandler, build?: string): Server => {
  buildResponsesWith(NativeResponse)
  const servePage = guardPages(build)
  const server = createServer((req, res) => {
    if (screen(req, res)) return
    const match = routes(req.method ?? 'GET', pathOf(req.url))
    if (!match)
      return servePage(req, res, () => {
        notePeer(req)
        return pages(req, res)
      })
    const { handler, params } = match
    const context = { params: Object.keys(params).length === 0 ? NO_PARAMS : Promise.resolve(params) }
    void handler(new NodeRequest({ req, res }), context).then(response =>
      response instanceof NativeResponse ? response.writeTo(req, res) : sendNodeResponse(res, response),
    )
  })
  return guardServer(server)
}
