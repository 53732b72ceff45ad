import { serve } from '#lib/gateway/index.ts'
import { resultsResponse } from '#lib/http/dialects/batch.ts'
import { queryOf, resultsQuery } from '#lib/validation/batch.ts'
import { parseOrThrow } from '#lib/validation/zod.ts'

/** The results of a batch's items, as a download. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/batch/jobs/{id}/results', surface: 'api', access: 'caller', changes: false },
  {
    GET: async ({ request, context, params, gateway, abort }) => {
      const { format } = parseOrThrow(resultsQuery, queryOf(request))
      const job = await gateway.batch.find(context.caller, params.id)
      return resultsResponse(job, gateway.batch.allItems(job), format, { clock: gateway.clock, abort })
    },
  },
)
