import { serve } from '#lib/gateway/index.ts'
import { explainedJson } from '#lib/http/dialects/requests.ts'
import { pathEnd } from '#lib/validation/path-end.ts'

/** One request, with its attempts. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/requests/{requestId}', surface: 'api', access: 'caller', changes: false },
  {
    GET: async ({ request, context, gateway }) => ({
      json: explainedJson(await gateway.usage.request(pathEnd(request, '/api/requests/'), context.caller)),
    }),
  },
)
