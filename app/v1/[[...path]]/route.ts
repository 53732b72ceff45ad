import { GatewayError } from '#lib/errors.ts'
import { type Gateway, serve } from '#lib/gateway/index.ts'
import type { Exchange } from '#lib/http/serve.ts'

const unknownUrl = async ({ request }: Exchange<Gateway>): Promise<never> => {
  const { pathname } = new URL(request.url)
  throw new GatewayError('NOT_FOUND', `Unknown request URL: ${request.method} ${pathname}.`)
}

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/v1/*', surface: 'api', access: 'public', changes: false },
  { GET: unknownUrl, POST: unknownUrl, PUT: unknownUrl, PATCH: unknownUrl, DELETE: unknownUrl },
)
