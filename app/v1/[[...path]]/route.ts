import { GatewayError } from '#lib/errors.ts'
import { type Gateway, serve } from '#lib/gateway/index.ts'
import type { Answer } from '#lib/http/answer.ts'
import { openAiErrorBody } from '#lib/http/dialects/openai-error.ts'
import type { Exchange } from '#lib/http/serve.ts'

const unknownUrl = async ({ request, visit }: Exchange<Gateway>): Promise<Answer> => {
  const { pathname } = new URL(request.url)
  const error = new GatewayError('NOT_FOUND', `Unknown request URL: ${request.method} ${pathname}.`)
  visit.journal.error = error
  return { status: error.status, json: openAiErrorBody(error) }
}

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/v1/*', surface: 'rest', changes: false },
  { GET: unknownUrl, POST: unknownUrl, PUT: unknownUrl, PATCH: unknownUrl, DELETE: unknownUrl },
)
