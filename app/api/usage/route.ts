import { serve } from '#lib/gateway/index.ts'
import { usageResponse } from '#lib/http/dialects/usage.ts'
import { queryOf } from '#lib/validation/batch.ts'
import { parseUsageQuery } from '#lib/validation/usage.ts'

/** The caller's own usage. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/usage', surface: 'api', access: 'caller', changes: false },
  {
    GET: async ({ request, context, gateway }) => {
      const { format, ...query } = parseUsageQuery(queryOf(request), gateway.clock.now())
      const report = await gateway.usage.ownUsage(context.caller, query)
      return usageResponse(report, { by: query.by, format, reserved: await gateway.reserved(context.caller) })
    },
  },
)
