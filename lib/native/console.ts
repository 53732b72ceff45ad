import type { IncomingMessage, ServerResponse } from 'node:http'

type NodeHandler = (request: IncomingMessage, response: ServerResponse) => unknown

/** The web pages, served by Next inside this process. API calls need not wait until it is ready; pages do. */
export const startConsole = (root: string): NodeHandler => {
  const handler = import('next').then(async ({ default: next }) => {
    const app = next({ dir: root, dev: false })
    await app.prepare()
    return app.getRequestHandler()
  })
  return async (request, response) => (await handler)(request, response)
}

/** Stands in for the pages where they are switched off. */
export const noConsole: NodeHandler = (_request, response) => {
  response.writeHead(404, { 'content-type': 'application/json; charset=utf-8' })
  response.end(
    JSON.stringify({
      error: {
        code: 'NOT_FOUND',
        message: 'There is nothing here; the web pages are switched off (ENABLE_CONSOLE).',
        requestId: crypto.randomUUID(),
        retryable: false,
      },
    }),
  )
}
