import { serve } from '#lib/gateway/index.ts'
import { requestPageJson } from '#lib/http/dialects/requests.ts'
import { queryOf } from '#lib/validation/batch.ts'
import { requestsQuery } from '#lib/validation/usage.ts'
import { parseOrThrow } from '#lib/validation/zod.ts'

/** Requests, newest first. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/requests', surface: 'api', access: 'caller', changes: false },
  {
    GET: async ({ request, context, gateway }) => {
      const query = parseOrThrow(requestsQuery, queryOf(request))
      return { json: requestPageJson(await gateway.usage.requests(query, context.caller)) }
    },
  },
)
