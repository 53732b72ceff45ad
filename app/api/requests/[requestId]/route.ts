import { serve } from '#lib/gateway/index.ts'
import { explainedJson } from '#lib/http/dialects/requests.ts'

/** One request, with its attempts. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/requests/{requestId}', surface: 'api', access: 'caller', changes: false },
  {
    GET: async ({ context, params, gateway }) => ({
      json: explainedJson(await gateway.usage.request(String(params.requestId), context.caller)),
    }),
  },
)
