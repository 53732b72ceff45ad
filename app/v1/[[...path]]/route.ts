import { GatewayError } from '#lib/errors.ts'
import { type Gateway, serve } from '#lib/gateway/index.ts'
import { openAiErrorBody } from '#lib/http/dialects/openai-error.ts'
import type { RouteResponse } from '#lib/http/route-response.ts'
import type { Exchange } from '#lib/http/serve.ts'

const unknownUrl = async ({ request, context }: Exchange<Gateway>): Promise<RouteResponse> => {
  const { pathname } = new URL(request.url)
  const error = new GatewayError('NOT_FOUND', `Unknown request URL: ${request.method} ${pathname}.`)
  context.journal.error = error
  return { status: error.status, json: openAiErrorBody(error) }
}

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/v1/*', surface: 'api', access: 'public', changes: false },
  { GET: unknownUrl, POST: unknownUrl, PUT: unknownUrl, PATCH: unknownUrl, DELETE: unknownUrl },
)
