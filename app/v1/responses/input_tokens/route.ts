import { serve } from '#lib/gateway/index.ts'
import { unknownUrl } from '#lib/http/unknown-url.ts'

/** OpenAI's endpoint in the place of an id. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/v1/responses/input_tokens', surface: 'api', access: 'public', changes: false },
  { GET: unknownUrl, POST: unknownUrl, PUT: unknownUrl, PATCH: unknownUrl, DELETE: unknownUrl },
)
