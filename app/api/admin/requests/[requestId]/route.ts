import { serve } from '#lib/gateway/index.ts'
import { explainedJson } from '#lib/http/dialects/requests.ts'
import { pathEnd } from '#lib/validation/path-end.ts'

/** One request, with its attempts. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/admin/requests/{requestId}', surface: 'api', access: 'admin', changes: false },
  {
    GET: async ({ request, gateway }) => ({
      json: explainedJson(await gateway.usage.request(pathEnd(request, '/api/admin/requests/'))),
    }),
  },
)
