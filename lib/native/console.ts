import { Server } from 'node:http'
import { GatewayError } from '../errors.ts'
import type { NodeHandler } from '../http/server/pages.ts'
import { refuse } from '../http/server/refuse.ts'

/** The web pages, served by Next inside this process. API calls need not wait until it is ready; pages do. */
export const startConsole = (root: string): NodeHandler => {
  const handler = import('next').then(async ({ default: next }) => {
    // At its first page Next listens for upgrades on its server, and never answers them.
    const app = next({ dir: root, dev: false, httpServer: new Server() })
    await app.prepare()
    return app.getRequestHandler()
  })
  return async (request, response) => (await handler)(request, response)
}

/** Responds in place of the pages where they are switched off. */
export const noConsole: NodeHandler = (request, response) =>
  refuse(request, response, new GatewayError('NOT_FOUND', 'The web pages are switched off (ENABLE_CONSOLE).'))
