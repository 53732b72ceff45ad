import { serve } from '#lib/gateway/index.ts'
import { documentResponse } from '#lib/http/openapi/response.ts'

/** The API as an OpenAPI document. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/openapi.json', surface: 'api', access: 'public', changes: false },
  { GET: async ({ request, gateway }) => documentResponse(gateway.writtenApi(), request) },
)
